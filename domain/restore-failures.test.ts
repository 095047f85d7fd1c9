import { describe, expect, test } from 'vitest';
import { restoreFailure } from './restore-failures.ts';

describe('a failure tells that the state does not fit', () => {
  test.each([
    [
      'Caused by: java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint file:/s/savepoint-1. Cannot map checkpoint/savepoint state for operator cbc357ccb763df2852fee8c4fc7d55f2 to the new program, because the operator is not available in the new program. If you want to allow to skip this, you can set the --allowNonRestoredState option on the CLI.',
      'the saved state of operator cbc357ccb763df2852fee8c4fc7d55f2 has no place in the new version',
    ],
    [
      'Caused by: org.apache.flink.util.StateMigrationException: The new state serializer (org.apache.flink.table.runtime.typeutils.RowDataSerializer@1) must not be incompatible with the old state serializer (…@2).',
      'the type of what is kept in state has changed',
    ],
    [
      'The new key serializer (a.RowDataSerializer@38964743) must be compatible with the previous key serializer (a.RowDataSerializer@da32253f).',
      'the type of what is kept in state has changed',
    ],
    [
      'java.lang.IllegalStateException: Failed to rollback to checkpoint/savepoint file:/s. Max parallelism mismatch between checkpoint/savepoint state and new program.',
      'the maximum parallelism is another',
    ],
    [
      'Caused by: org.apache.flink.runtime.state.BackendBuildingException: Failed when trying to restore heap backend\nCaused by: java.io.EOFException',
      'Flink could not read it',
    ],
  ])('%s', (trace, because) => {
    expect(restoreFailure(trace)).toContain(because);
  });
});

test.each(['', 'Connection to 127.0.0.1:5432 refused', 'OutOfMemoryError: Java heap space'])(
  'another failure does not: "%s"',
  (trace) => {
    expect(restoreFailure(trace)).toBeUndefined();
  },
);
