/** Holds docs/state-machine.md to the code that it describes. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  DESIRED_STATES,
  JOB_PHASES,
  jobCommandSchemas,
  jobPolicySchema,
  upgradesSchema,
} from '../schemas/job.ts';
import { VERDICTS } from './job-health.ts';
import { alertKindOf, JOB_ACTIONS, JOB_EVENTS, nextAction, transition } from './job-machine.ts';
import { jobPhases } from './job-phases.ts';

const text = readFileSync(new URL('../docs/state-machine.md', import.meta.url), 'utf8');

/** The rows of the table that begins with a header, cell by cell, without the marks of code. */
function tableOf(header: string): string[][] {
  const [, after] = text.split(`\n${header}\n`);
  if (after === undefined) throw new Error(`docs/state-machine.md has no table "${header}"`);
  const [, ...lines] = after.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  );
}
const firstCells = (header: string): (string | undefined)[] => tableOf(header).map(([first]) => first);
const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no');

/** `120000` as `2 min`: in the largest unit that leaves no rest. */
function duration(ms: number): string {
  const units: [string, number][] = [
    ['days', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ];
  const [unit, size] = units.find(([, size]) => ms % size === 0) ?? ['ms', 1];
  return `${ms / size} ${unit}`;
}

describe('docs/state-machine.md', () => {
  test('has each phase with its flags and its sentence', () => {
    const rows = tableOf('| phase | ends the actor | Flink may hold the job | what it means |');
    expect(rows).toEqual(
      JOB_PHASES.map((phase) => {
        const { terminal, mayRun, description } = jobPhases[phase];
        return [phase, yesOrNo(terminal), yesOrNo(mayRun), description];
      }),
    );
  });

  test('draws every transition that leads anywhere, and no other', () => {
    const [, diagram = ''] = /```mermaid\nstateDiagram-v2\n(.*?)```/s.exec(text) ?? [];
    const leading = JOB_PHASES.flatMap((from) =>
      JOB_EVENTS.map((event) => ({ from, event, to: transition(from, event) }))
        .filter(({ to }) => to !== from)
        .map(({ event, to }) => `${from} --> ${to}: ${event}`),
    );
    const ends = JOB_PHASES.filter((phase) => jobPhases[phase].terminal).map((phase) => `${phase} --> [*]`);
    const drawn = diagram
      .trimEnd()
      .split('\n')
      .map((line) => line.trim());
    expect(drawn.toSorted()).toEqual(['[*] --> new', ...leading, ...ends].toSorted());
  });

  test('explains each event, each command and each action', () => {
    expect(firstCells('| event | what has happened |')).toEqual(JOB_EVENTS);
    expect(firstCells('| command | what it changes |')).toEqual(Object.keys(jobCommandSchemas));
    expect(firstCells('| action | what the actor does |')).toEqual(JOB_ACTIONS);
  });

  test('says what is done next in each phase for each desired state', () => {
    const plain = {
      isParked: false,
      desiredVersion: '',
      version: '',
      savepointRequests: [],
      nextSavepointAtMs: 0,
      upgrades: upgradesSchema.parse({}),
    };
    const rows = tableOf('| phase | desired running | desired suspended, or parked | desired stopped |');
    expect(rows).toEqual(
      JOB_PHASES.map((phase) => [
        phase,
        ...DESIRED_STATES.map((desired) => nextAction({ ...plain, phase, desired }, 0)),
      ]),
    );
  });

  test('names the alert of each phase that has one', () => {
    for (const phase of JOB_PHASES) {
      const upgrades = upgradesSchema.parse({});
      const kind = alertKindOf({ phase, desired: 'running', isParked: false, upgrades });
      if (kind !== undefined) expect(text).toContain(`\`${phase}\` (\`${kind}\`)`);
    }
  });

  test('has a rule of health for each verdict, by figures that there are', () => {
    const rows = tableOf('| rule | verdict |');
    expect(new Set(rows.map(([, verdict]) => verdict))).toEqual(new Set([...VERDICTS, 'none']));
    const figures = rows.flatMap(([rule = '']) => rule.match(/(?<=`)\w+(?=`)/g) ?? []);
    expect(Object.keys(jobPolicySchema.shape)).toEqual(expect.arrayContaining(figures));
    expect(figures).toHaveLength(5);
  });

  test('has each figure of the policy with its default', () => {
    const rows = tableOf('| figure | default | what it is |');
    expect(rows.map(([figure, value]) => [figure, value])).toEqual(
      Object.entries(jobPolicySchema.parse({})).map(([figure, value]) => [
        figure,
        figure.endsWith('Ms') ? duration(value) : String(value),
      ]),
    );
  });

  test('names for each rule tests that there are', () => {
    const rows = tableOf('| rule | file | test |');
    expect(rows.length).toBeGreaterThan(20);
    for (const [, file, name] of rows) {
      const source = readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8');
      expect(source.includes(`test('${name}', `), `${file}.test.ts has no test "${name}"`).toBe(true);
    }
  });
});
