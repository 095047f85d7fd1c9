import { describe, expect, test } from 'vitest';
import type { StateCommandName } from '../../domain/job-waiting.ts';
import { type JobState, jobStateSchema } from '../../schemas/job.ts';
import { desiredSentence, hadNothingToDo, phaseLine, reachedSentence } from './sentences.ts';

const stateWith = (fields: Partial<JobState>): JobState =>
  jobStateSchema.parse({
    name: 'counting',
    phase: 'stable',
    desiredVersion: 'v2',
    version: 'v2',
    attempt: 4,
    restorePath: 'file:/savepoints/s1',
    ...fields,
  });

describe('what a command says is desired now', () => {
  const said = (command: StateCommandName, fields: Partial<JobState>, from?: string): string =>
    desiredSentence(command, stateWith(fields), 0, from);

  test('of a deploy: the version, that it runs already, or that the job stays suspended', () => {
    expect(said('deploy', { version: 'v1' })).toBe('counting is to run version v2.');
    expect(said('deploy', {})).toBe('Nothing to do: version v2 of counting runs already.');
    expect(said('deploy', { phase: 'suspended', desired: 'suspended' })).toBe(
      'counting is to run version v2 once it is resumed; it stays suspended.',
    );
  });

  test('of a resume: that it is to run, or runs already', () => {
    expect(said('resume', { phase: 'suspended' })).toBe(
      'counting is to run version v2, from its kept state.',
    );
    expect(said('resume', { phase: 'suspended', desiredVersion: '' })).toBe(
      'counting is to run, from its kept state.',
    );
    expect(said('resume', {})).toBe('Nothing to do: counting runs already.');
  });

  test('of a rollback: the version that it goes back to', () => {
    expect(said('rollback', { version: 'v3' })).toBe(
      'counting is to go back to version v2 and the snapshot that was taken of it.',
    );
  });

  test('of a restart: what it begins from', () => {
    const restart = { restart: { from: '' } };
    expect(said('restart', restart)).toBe('counting is to be restarted from its own state.');
    expect(said('restart', restart, 'nothing')).toBe(
      'counting is to be restarted from nothing, without its state.',
    );
    expect(said('restart', restart, 'a'.repeat(32))).toBe(
      `counting is to be restarted from savepoint ${'a'.repeat(32)}.`,
    );
    expect(said('restart', restart, 'file:/s')).toBe('counting is to be restarted from file:/s.');
  });

  test('of a suspend and a stop: that the state is kept', () => {
    expect(said('suspend', { desired: 'suspended' })).toBe(
      'counting is to be suspended, its state kept in a savepoint.',
    );
    expect(said('suspend', { desired: 'suspended', phase: 'suspended' })).toBe(
      'Nothing to do: counting is suspended already.',
    );
    expect(said('stop', { desired: 'stopped' })).toBe(
      'counting is to be stopped, its state kept in a savepoint; its actor ends then.',
    );
  });

  test('a restart always has something to do', () => {
    expect(hadNothingToDo('restart', stateWith({}), 0)).toBe(false);
  });
});

describe('how a followed command ended', () => {
  test('names where the state is, or what the submission started from', () => {
    expect(reachedSentence(stateWith({}))).toBe(
      'counting is stable on version v2, submission 4, started from file:/savepoints/s1.',
    );
    expect(reachedSentence(stateWith({ restorePath: '' }))).toContain('the beginning of its topics');
    expect(reachedSentence(stateWith({ phase: 'suspended' }))).toBe(
      'counting is suspended: its state is kept in file:/savepoints/s1.',
    );
    expect(reachedSentence(stateWith({ phase: 'stopped' }))).toBe(
      'counting is stopped and its actor has ended: its state is kept in file:/savepoints/s1.',
    );
  });

  test('says so when no savepoint could be taken', () => {
    const reason = 'no savepoint could be taken (no disk); it goes on from file:/checkpoints/chk-7';
    expect(
      reachedSentence(stateWith({ phase: 'suspended', restorePath: 'file:/checkpoints/chk-7', reason })),
    ).toBe(`counting is suspended: its state is kept in file:/checkpoints/chk-7; ${reason}.`);
    expect(reachedSentence(stateWith({ phase: 'suspended', restorePath: '' }))).toBe(
      'counting is suspended: it had no state to keep.',
    );
  });
});

test('a phase is told with its reason, or with what it means', () => {
  expect(phaseLine({ phase: 'failing', reason: 'the table is gone.' })).toBe('failing: the table is gone');
  expect(phaseLine({ phase: 'suspending', reason: '' })).toBe(
    'suspending: Being stopped with its state saved',
  );
});
