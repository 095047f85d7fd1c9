/** Puts parameters into Flink SQL: `${name}` becomes a quoted, escaped literal, so that a value can never become SQL. */
import { HourglassError } from './errors.ts';

/** Thrown when a statement names a parameter that nobody gave. */
export class UnknownSqlParameterError extends HourglassError {
  constructor(name: string, known: readonly string[]) {
    super(
      'UNKNOWN_SQL_PARAMETER',
      `The Flink SQL asks for \${${name}}, which is not a parameter; there are: ${known.join(', ')}.`,
    );
  }
}

/** @throws UnknownSqlParameterError */
export function renderFlinkSql(sql: string, parameters: Readonly<Record<string, string>>): string {
  return sql.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (value === undefined) throw new UnknownSqlParameterError(name, Object.keys(parameters));
    return `'${value.replaceAll("'", "''")}'`;
  });
}
