/**
 * A candidate: a version of a Flink job that is tried under a name, a consumer group and tables of its own. Decides how it is named and
 * what of its SQL can be pointed at shadow tables; making them and running it is left to `activities/candidates.ts`.
 */
import type { CandidatePurpose } from '../schemas/candidate.ts';
import { HourglassError } from './errors.ts';

/** Thrown for a version that would write, or read, what is not a candidate's own. Nothing was run. */
export class NotShadowableError extends HourglassError {
  constructor(mistakes: readonly string[]) {
    super('NOT_SHADOWABLE', `This version cannot be tried beside the job: ${mistakes.join('; ')}.`);
  }
}

/** Thrown for a job that is no pipeline's stream: only streams have versions. */
class UnknownStreamError extends HourglassError {
  constructor(job: string, known: readonly string[]) {
    super('UNKNOWN_JOB', `There is no stream "${job}"; there are: ${known.join(', ')}.`);
  }
}

/** The pipeline whose stream a job is. @param streams the pipelines by the names of their jobs @throws UnknownStreamError */
export function streamOf<T>(streams: Readonly<Record<string, T>>, job: string): T {
  const found = Object.hasOwn(streams, job) ? streams[job] : undefined;
  if (found === undefined) throw new UnknownStreamError(job, Object.keys(streams));
  return found;
}

export interface CandidateNames {
  /** Its name in Flink: never the job's, whose other submissions end with each new one. */
  readonly flinkName: string;
  /** The schema of its tables in PostgreSQL. */
  readonly schema: string;
  readonly consumerGroup: string;
}

const CALLED: Readonly<Record<CandidatePurpose, string>> = { dry_run: 'dry run', shadow: 'shadow' };

/**
 * @param group the job's own consumer group
 * @param run what tells two tries of one version apart: a group's offsets of an earlier one would say that everything is read
 */
export function candidateNames(
  purpose: CandidatePurpose,
  { job, version, group, run }: { job: string; version: string; group: string; run: string },
): CandidateNames {
  return {
    flinkName: `${CALLED[purpose]} of ${job} ${version}`,
    schema: `${purpose}_${job.replaceAll('-', '_')}_${version}`,
    consumerGroup: `${group}-${purpose.replace('_', '-')}-${version}-${run}`,
  };
}

/** A table that a version writes. */
export interface CandidateSink {
  /** As the SQL calls it. */
  readonly name: string;
  /** As PostgreSQL does. */
  readonly table: string;
}

interface CreatedTable {
  readonly name: string;
  /** The WITH clause as it is written: literals with their quotes, parameters with their braces. */
  readonly options: Readonly<Record<string, string>>;
}

const CREATED = /^\s*CREATE\s+(?:TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?`?(\w+)`?/i;
const OPTION = /'([\w.-]+)'\s*=\s*('(?:[^']|'')*'|\$\{\w+\})/g;
const INSERTED = /\bINSERT\s+(?:INTO|OVERWRITE)\s+(?:TABLE\s+)?([`\w.]+)/gi;
const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;
/** Names something, and runs nothing. */
const CREATING =
  /^\s*CREATE\s+(?:OR\s+ALTER\s+)?(?:TEMPORARY\s+)?(?:SYSTEM\s+)?(?:TABLE|VIEW|FUNCTION|CATALOG|DATABASE)\b/i;
/** CREATE TABLE … AS SELECT starts a job that fills the table. */
const FILLED = /^\s*CREATE\s+(?:\w+\s+){0,3}?TABLE\b[\s\S]*\bAS\s*(?:\(\s*)*(?:SELECT|WITH|VALUES)\b/i;

/**
 * The tables in PostgreSQL that a version writes, once each. Of a version that passes all statements but the last create, so that
 * they can be run to look at it.
 * @throws NotShadowableError when one of them, or the offsets that it commits, would be the job's own
 */
export function candidateSinks(statements: readonly string[]): readonly CandidateSink[] {
  const plain = statements.map(withoutComments);
  const tables = plain.flatMap(createdTable);
  const written = [...new Set(plain.flatMap(insertedNames))];
  const mistakes = [
    ...orderMistakes(plain),
    ...tables.flatMap(groupMistakes),
    ...tables.flatMap((table) => readMistakes(table, plain)),
  ];
  const sinks = written.flatMap((name) => {
    const table = tables.find((candidate) => candidate.name === name);
    if (table === undefined) {
      mistakes.push(`it writes ${name}, which no statement of it creates`);
      return [];
    }
    const found = sinkMistakes(table);
    mistakes.push(...found);
    return found.length > 0 || isDiscarding(table)
      ? []
      : [{ name, table: literal(table.options['table-name']) ?? '' }];
  });
  if (written.length === 0) mistakes.push('it writes no table');
  if (mistakes.length > 0) throw new NotShadowableError(mistakes);
  return sinks;
}

export interface TableColumns {
  readonly columns: readonly string[];
  /** Those that a new row cannot be without. */
  readonly required: readonly string[];
}

/**
 * What a sink writes is compared with its table before it runs: a writer that fails takes its TaskManager, and the jobs on it, along.
 * @param known undefined when the table is not there
 */
export function columnMistakes(
  { name, table }: CandidateSink,
  written: readonly string[],
  known: TableColumns | undefined,
): readonly string[] {
  if (known === undefined) return [`${name} writes the table ${table}, which is not in PostgreSQL`];
  const unknown = written.filter((column) => !known.columns.includes(column));
  const missing = known.required.filter((column) => !written.includes(column));
  return [
    ...(unknown.length === 0
      ? []
      : [`${name} writes ${unknown.join(', ')}, which the table ${table} has not`]),
    ...(missing.length === 0
      ? []
      : [`${name} does not write ${missing.join(', ')}, which the table ${table} needs`]),
  ];
}

const withoutComments = (sql: string): string => sql.replace(/^\s*--.*$/gm, '');

function createdTable(sql: string): CreatedTable[] {
  const name = CREATED.exec(sql)?.[1];
  if (name === undefined) return [];
  const clause = sql.slice(sql.search(/\)\s*WITH\s*\(|\bWITH\s*\(/i));
  const options = [...clause.matchAll(OPTION)].map(([, key = '', value = '']) => [key, value] as const);
  return [{ name, options: Object.fromEntries(options) }];
}

const insertedNames = (sql: string): string[] =>
  [...sql.matchAll(INSERTED)].map(([, name = '']) => name.replaceAll('`', ''));

/** The value of a literal; undefined for a parameter, or none. */
const literal = (text: string | undefined): string | undefined =>
  text?.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : undefined;

const isDiscarding = ({ options }: CreatedTable): boolean =>
  ['blackhole', 'print'].includes(literal(options['connector']) ?? '');

/** Flink runs each as soon as it reads it: what runs before the last is a job of its own, under a name that nobody looks for. */
function orderMistakes(statements: readonly string[]): string[] {
  return statements
    .slice(0, -1)
    .filter((sql) => !CREATING.test(sql) || FILLED.test(sql))
    .map((sql) => `only its last statement may run anything, and "${beginningOf(sql)}" stands before it`);
}

const beginningOf = (sql: string): string => sql.trim().replace(/\s+/g, ' ').slice(0, 40);

/** Only the database's tables have a schema that can be another. */
function sinkMistakes(table: CreatedTable): string[] {
  if (isDiscarding(table)) return [];
  const { name, options } = table;
  const connector = literal(options['connector']);
  if (connector !== 'jdbc')
    return [`${name} is written by the connector ${connector ?? 'of no name'}, not jdbc`];
  const tableName = literal(options['table-name']);
  return [
    ...(options['url'] === `\${jdbc_url}` ? [] : [`the url of ${name} is not \${jdbc_url}`]),
    ...(IDENTIFIER.test(tableName ?? '') ? [] : [`the table-name of ${name} is no name without a schema`]),
  ];
}

/** In a candidate's schema there is only what it writes. */
function readMistakes({ name, options }: CreatedTable, statements: readonly string[]): string[] {
  const isRead = statements.some((statement) =>
    new RegExp(`\\b(?:FROM|JOIN)\\s+\`?${name}\\b`, 'i').test(statement),
  );
  return literal(options['connector']) === 'jdbc' && isRead
    ? [`it reads ${name} from the database, where a candidate has only the tables that it writes`]
    : [];
}

/** Offsets that a candidate commits for the job's group would say that the job has read them. */
function groupMistakes({ name, options }: CreatedTable): string[] {
  const group = options['properties.group.id'];
  return literal(options['connector']) !== 'kafka' || group === undefined || group === `\${consumer_group}`
    ? []
    : [`the properties.group.id of ${name} is not \${consumer_group}`];
}
