/** Tells from Flink's words whether a job failed because the state it was to start from does not fit its SQL. */

interface Kind {
  readonly pattern: RegExp;
  /** Completes "state does not fit, because …". */
  readonly because: (match: RegExpExecArray) => string;
}

/** In this order: the first that is found tells. As Flink 2.2 says it (StateAssignmentOperation, Checkpoints, StateMigrationException). */
const KINDS: readonly Kind[] = [
  {
    pattern:
      /Cannot map (?:checkpoint\/)?(?:savepoint|checkpoint) state for operator (\w+)[\s\S]{0,40}?new program/i,
    because: ([, operator]) =>
      `the saved state of operator ${operator} has no place in the new version: what the SQL computes with state, or its order, has changed`,
  },
  {
    pattern:
      /Max(?:imum)? parallelism mismatch|max(?:imum)? parallelism \(?\d+\)? .*(?:exceeds|smaller|lower)/i,
    because: () => 'the maximum parallelism is another',
  },
  {
    pattern:
      /(?:StateMigrationException|must not be incompatible|serializer \(?[^)]*\)? ?must be compatible|For heap backends, the new (?:state|key|namespace) serializer)/i,
    because: () => 'the type of what is kept in state has changed',
  },
  {
    pattern:
      /(?:Failed when trying to restore|Could not restore (?:keyed|operator) state|Failed to rollback to checkpoint|Error while restoring|Unable to restore)/i,
    because: () => 'Flink could not read it',
  },
];

/** @returns why the state does not fit; undefined when the failure is another one */
export function restoreFailure(trace: string): string | undefined {
  for (const { pattern, because } of KINDS) {
    const match = pattern.exec(trace);
    if (match !== null) return because(match);
  }
  return undefined;
}
