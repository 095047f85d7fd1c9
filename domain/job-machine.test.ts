import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JOB_PHASES, type JobPhase } from '../schemas/workflow-inputs.ts';
import {
  backoffMs,
  type JobEvent,
  jobPhases,
  jobTransitions,
  nextAction,
  remember,
  transition,
} from './job-machine.ts';

const phases = fc.constantFrom(...JOB_PHASES);
const events = fc.constantFrom(...(Object.keys(jobTransitions.new) as JobEvent[]));
const wanted = fc.constantFrom('running' as const, 'parked' as const);

/** What a faithful actor reports after each action, so that only possible sequences are tried. */
const outcomes: Record<string, readonly JobEvent[]> = {
  submit: ['submitted', 'refused'],
  watch: ['lost'],
  park: ['parked', 'lost'],
  settle: ['parked'],
  rest: [],
};

describe('the machine of a Flink job', () => {
  test('any event in any phase leads to a known phase', () => {
    fc.assert(
      fc.property(phases, events, (phase, event) => {
        expect(Object.keys(jobPhases)).toContain(transition(phase, event));
      }),
    );
  });

  test('the only way to running leads through a recorded target', () => {
    for (const [phase, row] of Object.entries(jobTransitions)) {
      for (const [event, next] of Object.entries(row)) {
        if (next === 'running' && phase !== 'running')
          expect([phase, event]).toEqual(['submitting', 'submitted']);
        if (next === 'submitting' && phase !== 'submitting') expect(event).toBe('targetRecorded');
      }
    }
  });

  test('a phase at rest begins nothing unless something else is wanted', () => {
    for (const phase of JOB_PHASES) {
      if (phase !== 'new' && jobPhases[phase].atRest)
        expect(nextAction({ phase, wanted: 'parked' })).toBe('rest');
    }
  });

  test('whatever happens, a job that is wanted running is running again once nothing fails any more', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(wanted, fc.nat())), (history) => {
        let phase: JobPhase = 'new';
        const act = (want: 'running' | 'parked', choice: number): void => {
          const action = nextAction({ phase, wanted: want });
          if (action === 'submit') phase = transition(phase, 'targetRecorded');
          if (action === 'park') phase = transition(phase, 'parkBegun');
          const possible = outcomes[action] ?? [];
          const event = possible[choice % Math.max(possible.length, 1)];
          if (event !== undefined) phase = transition(phase, event);
        };
        for (const [want, choice] of history) act(want, choice);
        for (let step = 0; step < 4 && nextAction({ phase, wanted: 'running' }) !== 'watch'; step += 1)
          act('running', 0);
        expect<JobPhase>(phase).toBe('running');
      }),
    );
  });

  test('the pause before a submission grows and is bounded', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), (failures) => {
        expect(backoffMs(failures + 1)).toBeGreaterThanOrEqual(backoffMs(failures));
        expect(backoffMs(failures)).toBeLessThanOrEqual(120_000);
      }),
    );
    expect(backoffMs(0)).toBe(0);
  });

  test('the newest command ids are remembered, each once', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { maxLength: 200 }), (ids) => {
        const remembered = ids.reduce<string[]>((known, id) => remember(known, id), []);
        expect(new Set(remembered).size).toBe(remembered.length);
        expect(remembered.length).toBeLessThanOrEqual(50);
        if (ids.length > 0) expect(remembered.at(-1)).toBe(ids.at(-1));
      }),
    );
  });
});
