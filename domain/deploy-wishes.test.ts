import { describe, expect, test } from 'vitest';
import { before, facts, failed, NEW, OLD, OTHER, version, WISHED } from '../tests/support/deploy-facts.ts';
import { rollbackDecision, wishAtStart, wishDecision } from './deploy-wishes.ts';

describe('a command to deploy', () => {
  test('follows what is under way, begins anew what was refused, and does nothing for what is current', () => {
    expect(wishDecision(facts(), NEW)).toBe('attach');
    expect(wishDecision(facts({ verdicts: { smoke: failed } }), NEW)).toBe('record');
    expect(wishDecision(facts(), OTHER)).toBe('record');
    expect(wishDecision(facts({}, { wish: undefined }), OLD)).toBe('is current');
    // Somebody wants the other build: to stay is a wish of its own.
    expect(wishDecision(facts(), OLD)).toBe('record');
  });
});

describe('a command to roll back', () => {
  const wish = { buildId: OLD, kind: 'deploy', wishedAtMs: WISHED } as const;
  const versions = [version(OLD, { lastCurrentMs: 100 }), version(OTHER, { lastCurrentMs: 50 })];
  const further = expect.objectContaining({ buildId: OTHER });

  test('goes back from what is current to the one before, or gives up what has not come so far', () => {
    expect(rollbackDecision(facts({}, { wish, versions }))).toMatchObject({ kind: 'go back', to: further });
    expect(rollbackDecision(facts())).toMatchObject({ kind: 'give up', current: { buildId: OLD } });
    expect(rollbackDecision(facts({}, { wish, versions: versions.slice(0, 1) }))).toEqual({
      kind: 'nothing',
    });
  });

  test.each(['smoke', 'watch'] as const)(
    'stays where the wanted build was refused by the %s gate: that is gone back from already',
    (gate) => {
      const refused = version(NEW, { lastCurrentMs: 200, verdicts: { [gate]: failed } });
      expect(rollbackDecision(facts({}, { versions: [...versions, refused] }))).toMatchObject({
        ...{ kind: 'stay', refused: NEW, further: gate === 'watch' ? further : { buildId: NEW } },
      });
    },
  );
});

describe('a start of the system', () => {
  test('deploys its own build, goes on with a deploy of it, and leaves alone what was taken back', () => {
    expect(wishAtStart(facts({}, { wish: undefined }), NEW)).toEqual({ kind: 'record', wish: 'deploy' });
    expect(wishAtStart(facts(), NEW)).toEqual({ kind: 'go on' });
    const wish = { buildId: OLD, kind: 'rollback', wishedAtMs: WISHED } as const;
    expect(wishAtStart(facts({ verdicts: { watch: failed } }, { wish }), NEW)).toEqual({
      kind: 'stay',
      reason: 'it does not fit',
    });
    // A gate that refused it may find it mended.
    expect(wishAtStart(facts({ verdicts: { smoke: failed } }), NEW)).toEqual({
      kind: 'record',
      wish: 'deploy',
    });
  });

  test('of the build that is current wants it to stay so', () => {
    expect(wishAtStart(facts({}, { wish: undefined }), OLD)).toEqual({ kind: 'record', wish: 'rollback' });
    expect(wishAtStart(facts({ verdicts: { smoke: failed } }), OLD)).toEqual({ kind: 'go on' });
  });

  test('goes on with a deploy or a rollback to another build that was under way', () => {
    expect(wishAtStart(facts(), OLD)).toEqual({ kind: 'go on' });
    const wish = { buildId: NEW, kind: 'rollback', wishedAtMs: WISHED } as const;
    expect(wishAtStart(facts({}, { wish }), OLD)).toEqual({ kind: 'go on' });
    expect(wishAtStart(facts({ hasFiles: false }), OLD)).toEqual({ kind: 'record', wish: 'rollback' });
  });

  test('deploys its own build, taken back or not, where what is current is gone', () => {
    const versions = [version(OLD, { hasFiles: false }), version(NEW, { verdicts: { watch: before } })];
    expect(wishAtStart(facts({}, { versions, wish: undefined }), NEW)).toEqual({
      kind: 'record',
      wish: 'deploy',
    });
  });
});
