import { describe, expect, test } from 'vitest';
import { inputOf } from './input.ts';

describe('the input of a command', () => {
  test('holds what was given, and the defaults of what was not', () => {
    const commandId = 'c1';
    expect(inputOf('suspend', 'counting', { commandId })).toEqual({ commandId });
    expect(inputOf('deploy', 'counting', { commandId })).toEqual({ commandId, acceptStateLoss: false });
    const restart = { commandId, from: 'nothing', acceptStateLoss: true };
    expect(inputOf('restart', 'counting', restart)).toEqual(restart);
    const savepoint = { commandId, triggerId: 'a'.repeat(32) };
    expect(inputOf('savepoint', 'counting', savepoint)).toEqual(savepoint);
  });

  test('is refused with the option, its value and what is expected', () => {
    expect(() => inputOf('restart', 'counting', { from: 'yesterday' })).toThrow(
      '`job restart counting` was not sent: --from is "yesterday", expected the trigger id of a savepoint',
    );
    expect(() => inputOf('suspend', 'counting', { commandId: '' })).toThrow('--command-id is ""');
  });

  test('is refused where a restart from nothing does not accept the loss of the state', () => {
    expect(() => inputOf('restart', 'counting', { from: 'nothing' })).toThrow('--accept-state-loss');
  });
});
