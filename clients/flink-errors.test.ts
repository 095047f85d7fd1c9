import { describe, expect, test } from 'vitest';
import {
  errorText,
  FlinkRequestError,
  FlinkStatementError,
  FlinkUnreachableError,
  innermostCause,
} from './flink-errors.ts';

/** What the SQL Gateway answers to a statement on a table that does not exist, shortened in its middle. */
const unknownTable = {
  errors: [
    'Internal server error.',
    `<Exception on server side:
org.apache.flink.table.gateway.api.utils.SqlGatewayException: org.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to fetchResults.
\tat org.apache.flink.table.gateway.rest.handler.statement.FetchResultsHandler.handleRequest(FetchResultsHandler.java:91)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: org.apache.flink.table.gateway.service.utils.SqlExecutionException: Failed to execute the operation 8b5a.
\t... 7 more
Caused by: org.apache.flink.table.api.ValidationException: SQL validation failed. From line 3, column 6 to line 3, column 22: Object 'flattened_weathr' not found
\tat org.apache.flink.table.planner.calcite.FlinkPlannerImpl.validate(FlinkPlannerImpl.scala:200)
Caused by: org.apache.calcite.runtime.CalciteContextException: From line 3, column 6 to line 3, column 22: Object 'flattened_weathr' not found
\t... 29 more
Caused by: org.apache.calcite.sql.validate.SqlValidatorException: Object 'flattened_weathr' not found
\tat java.base/jdk.internal.reflect.NativeConstructorAccessorImpl.newInstance0(Native Method)
\t... 34 more

End of exception on server side>`,
  ],
};

const lostSession = {
  errors: [
    'Internal server error.',
    `<Exception on server side:
org.apache.flink.table.gateway.api.utils.SqlGatewayException: Session '37d6' does not exist.
\tat org.apache.flink.table.gateway.service.session.SessionManagerImpl.getSession(SessionManagerImpl.java:109)
End of exception on server side>`,
  ],
};

const failedSink = `org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy
\tat org.apache.flink.runtime.executiongraph.failover.ExecutionFailureHandler.handleFailure(ExecutionFailureHandler.java:219)
Caused by: java.io.IOException: java.sql.BatchUpdateException: Batch entry 0 INSERT INTO observations(city_id) VALUES (1) was aborted
\tat org.apache.flink.connector.jdbc.internal.JdbcOutputFormat.flush(JdbcOutputFormat.java:200)
Caused by: org.postgresql.util.PSQLException: ERROR: null value in column "topic" violates not-null constraint
  Detail: Failing row contains (1, 2026-01-01 00:00:00+00).
\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2733)
\t... 14 more
`;

describe('the innermost cause', () => {
  test('of a refused statement is the validator’s own sentence', () => {
    expect(innermostCause(errorText(unknownTable))).toBe(
      "SqlValidatorException: Object 'flattened_weathr' not found",
    );
  });

  test('of a failed job is the database’s own sentence', () => {
    expect(innermostCause(failedSink)).toBe(
      'PSQLException: ERROR: null value in column "topic" violates not-null constraint',
    );
  });

  test('of a trace without causes is its exception, not what Flink wraps it in', () => {
    expect(innermostCause(errorText(lostSession))).toBe(
      "SqlGatewayException: Session '37d6' does not exist.",
    );
  });

  test('of a wrapping without anything inside is the wrapping', () => {
    expect(innermostCause('Internal server error.')).toBe('Internal server error.');
    expect(innermostCause('')).toBe('');
  });

  test.each([
    ['java.lang.NullPointerException', 'NullPointerException'],
    [
      'Caused by: org.apache.flink.util.SerializedThrowable$Inner_1: lost',
      'SerializedThrowable$Inner_1: lost',
    ],
    ['Caused by: Kafka at broker.example.org:9092 is away', 'Kafka at broker.example.org:9092 is away'],
    ['Job 0a1b not found', 'Job 0a1b not found'],
  ])('%s is told as %s', (trace, told) => {
    expect(innermostCause(trace)).toBe(told);
  });

  test('is cut, so that no statement of a thousand lines ends in a history', () => {
    expect(innermostCause(`Caused by: a.B: ${'x'.repeat(10_000)}`)).toHaveLength(600);
  });
});

describe('the text of an error answer', () => {
  test.each([
    [{ errors: ['one', 'two'] }, 'one\ntwo'],
    ['<html>502</html>', '<html>502</html>'],
    [{ message: 'other' }, '{"message":"other"}'],
    [null, 'null'],
    [undefined, 'it gave no reason'],
  ])('%j is %j', (body, text) => {
    expect(errorText(body)).toBe(text);
  });
});

describe('the errors of Flink', () => {
  test('an error of the server may be gone at the next try, a refusal is not', () => {
    expect(new FlinkRequestError('stop job a', 503, 'away').retryable).toBe(true);
    expect(new FlinkRequestError('stop job a', 500, 'away').retryable).toBe(true);
    expect(new FlinkRequestError('stop job a', 404, 'unknown').retryable).toBe(false);
    expect(new FlinkRequestError('stop job a', 404, 'unknown')).toMatchObject({
      status: 404,
      message: 'Flink refused to stop job a (HTTP 404): unknown',
    });
  });

  test('a process that does not answer may answer later', () => {
    const error = new FlinkUnreachableError('SQL Gateway', 'http://a:1', 'ECONNREFUSED', undefined);
    expect(error).toMatchObject({ retryable: true, code: 'FLINK_UNREACHABLE' });
    expect(error.message).toBe('The SQL Gateway at http://a:1 does not answer: ECONNREFUSED.');
  });

  test('a refused statement is named by its first line that is no comment, and is not tried again', () => {
    const error = new FlinkStatementError(
      '-- why\n-- and why\nCREATE TABLE t (\n  a INT)',
      errorText(unknownTable),
    );
    expect(error.retryable).toBe(false);
    expect(error.message).toBe(
      `Flink refused "CREATE TABLE t (": SqlValidatorException: Object 'flattened_weathr' not found`,
    );
  });
});
