import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BACKFILL_EVENTS,
  BACKFILL_STATES,
  type BackfillEvent,
  type BackfillState,
  backfillStates,
  backfillTransitions,
  CHUNK_EVENTS,
  CHUNK_STATES,
  type ChunkEvent,
  type ChunkState,
  chunkStates,
  chunkTransitions,
  endingOf,
  OPEN_STATES,
} from './backfill-states.ts';

const eventsOf = fc.array(fc.constantFrom(...BACKFILL_EVENTS), { maxLength: 40 });
const chunkEvents = fc.array(fc.constantFrom(...CHUNK_EVENTS), { maxLength: 40 });
const follow = (from: BackfillState, events: readonly BackfillEvent[]): BackfillState =>
  events.reduce((state, event) => backfillTransitions[state][event], from);
const followChunk = (from: ChunkState, events: readonly ChunkEvent[]): ChunkState[] =>
  events.reduce<ChunkState[]>(
    (states, event) => states.concat(chunkTransitions[states.at(-1) ?? from][event]),
    [from],
  );

function reachable<State extends string>(
  from: State,
  transitions: Readonly<Record<State, Readonly<Record<string, State>>>>,
  seen = new Set([from]),
): Set<State> {
  for (const next of Object.values(transitions[from]))
    if (!seen.has(next)) reachable(next, transitions, seen.add(next));
  return seen;
}

describe('the states of a backfill and of a chunk', () => {
  test('nothing but a retry leads out of a state that has ended, and nothing at all out of success', () => {
    for (const state of BACKFILL_STATES.filter((each) => backfillStates[each].terminal))
      for (const event of BACKFILL_EVENTS) {
        const leads = event === 'retried' && state !== 'completed';
        expect(backfillTransitions[state][event]).toBe(leads ? 'running' : state);
      }
    for (const state of CHUNK_STATES.filter((each) => chunkStates[each].terminal))
      for (const event of CHUNK_EVENTS) {
        const leads = event === 'retried' && state !== 'done';
        expect(chunkTransitions[state][event]).toBe(leads ? 'pending' : state);
      }
  });

  test('every state that is no end leads to an end, and every state can be reached', () => {
    expect([...reachable('planned', backfillTransitions)].toSorted()).toEqual(BACKFILL_STATES.toSorted());
    expect([...reachable('pending', chunkTransitions)].toSorted()).toEqual(CHUNK_STATES.toSorted());
    for (const state of BACKFILL_STATES)
      expect([...reachable(state, backfillTransitions)].some((each) => backfillStates[each].terminal)).toBe(
        true,
      );
    for (const state of ['pending', 'fetching', 'published', 'loaded'] as const)
      expect([...reachable(state, chunkTransitions)]).toEqual(
        expect.arrayContaining(['done', 'failed', 'cancelled']),
      );
  });

  test('a backfill that is being cancelled never runs again by itself', () => {
    fc.assert(
      fc.property(eventsOf, (events) => {
        const byItself = events.filter((event) => event !== 'retried');
        for (const state of ['planned', 'running', 'paused'] as const)
          expect(['cancelling', 'cancelled', 'failed']).toContain(
            follow(backfillTransitions[state].cancelAsked, byItself),
          );
      }),
    );
  });

  test('a chunk is done only after its records were loaded', () => {
    fc.assert(
      fc.property(chunkEvents, (events) => {
        const states = followChunk('pending', events);
        const done = states.indexOf('done');
        if (done >= 0) expect(states[done - 1]).toBe('loaded');
        const loaded = states.indexOf('loaded');
        if (loaded >= 0) expect(['fetching', 'published']).toContain(states[loaded - 1]);
      }),
    );
  });

  test('a repeated event changes nothing', () => {
    for (const state of BACKFILL_STATES)
      for (const event of BACKFILL_EVENTS) {
        const once = backfillTransitions[state][event];
        expect(backfillTransitions[once][event]).toBe(once);
      }
    for (const state of CHUNK_STATES)
      for (const event of CHUNK_EVENTS) {
        const once = chunkTransitions[state][event];
        expect(chunkTransitions[once][event]).toBe(once);
      }
  });

  test('those that hold their windows are open', () => {
    expect(OPEN_STATES).toEqual(['running', 'paused', 'cancelling']);
  });

  test('a backfill with a chunk that is not done has not simply completed', () => {
    const countsOf = (given: Partial<Record<ChunkState, number>>) =>
      Object.fromEntries(CHUNK_STATES.map((state) => [state, { chunks: given[state] ?? 0 }])) as Record<
        ChunkState,
        { chunks: number }
      >;
    expect(endingOf(countsOf({ done: 3 }))).toBe('completed');
    expect(endingOf(countsOf({ done: 3, failed: 1 }))).toBe('completedWithFailures');
    expect(endingOf(countsOf({ done: 3, cancelled: 1 }))).toBe('completedWithFailures');
  });

  test('are the ones that the database lets in', () => {
    const sql = readFileSync(new URL('../sql/migrations/0011_backfills.sql', import.meta.url), 'utf8');
    const [backfill, chunk] = [...sql.matchAll(/check \(\s*status in \(([^)]*)\)/g)].map(([, list = '']) =>
      [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name),
    );
    expect(backfill).toEqual(BACKFILL_STATES);
    expect(chunk).toEqual(CHUNK_STATES);
  });
});
