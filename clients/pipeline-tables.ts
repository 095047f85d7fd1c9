/**
 * Owns how a query of the control plane is asked of one pipeline's tables: the names in its text are filled in. Which names a pipeline
 * has is its definition's; only names that the definition's schema has let through become SQL.
 */
import { HourglassError } from '../domain/errors.ts';
import type { PipelineTables } from '../schemas/pipeline.ts';

/** Tells a pipeline's tables by its name. @throws UnknownPipelineError */
export type TablesOf = (pipeline: string) => PipelineTables;

/** Thrown for a query that asks a pipeline's tables and was not told whose. A mistake in the code, of which nothing was asked. */
export class NoPipelineError extends HourglassError {
  constructor(query: string, name: string) {
    super(
      'NO_PIPELINE',
      `The query ${query} asks for \${${name}} of a pipeline: name the pipeline, and connect with its tables.`,
    );
  }
}

const FIGURE = /\$\{figure\}/;

/** A line that names `${figure}` stands once for each figure, in their order. @throws NoPipelineError */
export function fillTables(query: string, sql: string, tables: PipelineTables | undefined): string {
  if (!sql.includes('${')) return sql;
  const named = (line: string, names: Readonly<Record<string, string>>): string =>
    line.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const value = Object.hasOwn(names, name) ? names[name] : undefined;
      if (value === undefined) throw new NoPipelineError(query, name);
      return value;
    });
  const { figures = [], ...names } = tables ?? {};
  return sql
    .split('\n')
    .flatMap((line) =>
      tables !== undefined && FIGURE.test(line)
        ? figures.map((figure) => named(line, { ...names, figure }))
        : named(line, names),
    )
    .join('\n');
}
