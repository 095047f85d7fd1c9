/** Judges the parameters a caller gives to a batch job, and writes them as the values of the literals in its Flink SQL. */
import { type BatchParameterKind, batchParameterKinds } from '../schemas/batch-job.ts';
import type { BatchJobDefinition } from '../schemas/pipeline.ts';
import { HourglassError } from './errors.ts';

type Parameters = Readonly<Record<string, string>>;

/** Thrown with every mistake at once. Nothing was submitted. */
export class BatchParametersError extends HourglassError {
  constructor(job: string, mistakes: readonly string[]) {
    super('BATCH_PARAMETERS', `The batch job ${job} cannot run: ${mistakes.join('; ')}.`);
  }
}

interface KindRules {
  readonly fits: (value: string) => boolean;
  /** The text between the quotes of Flink's literal. */
  readonly literal: (value: string) => string;
}

const HOUR = /^(\d{4}-\d{2}-\d{2})T(\d{2}:00:00)Z$/;

const RULES: Readonly<Record<BatchParameterKind, KindRules>> = {
  hour: {
    // What is no date, such as the 30th of February, is read as another one or not at all.
    fits: (value) => HOUR.test(value) && toIso(value) === value.replace('Z', '.000Z'),
    literal: (value) => value.replace(HOUR, '$1 $2'),
  },
};

function toIso(value: string): string | undefined {
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

/** @returns the values for `${…}` in the job's SQL @throws BatchParametersError */
export function batchSqlValues(definition: BatchJobDefinition, given: Parameters): Record<string, string> {
  const mistakes = [
    ...strangers(definition, given),
    ...misfits(definition, given),
    ...disorder(definition, given),
  ];
  if (mistakes.length > 0) throw new BatchParametersError(definition.name, mistakes);
  return Object.fromEntries(
    Object.entries(definition.parameters).map(([name, kind]) => [
      name,
      RULES[kind].literal(given[name] ?? ''),
    ]),
  );
}

function strangers({ parameters }: BatchJobDefinition, given: Parameters): string[] {
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(parameters, name))
    .map((name) => `it has no parameter "${name}", there are: ${Object.keys(parameters).join(', ')}`);
}

function misfits({ parameters }: BatchJobDefinition, given: Parameters): string[] {
  return Object.entries(parameters).flatMap(([name, kind]) => {
    const { description } = batchParameterKinds[kind];
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) return [`"${name}" is missing, ${description}`];
    return RULES[kind].fits(value) ? [] : [`"${name}" is "${value}", expected ${description}`];
  });
}

function disorder({ ascending }: BatchJobDefinition, given: Parameters): string[] {
  return ascending.flatMap(([first, second]) => {
    const [from, to] = [Date.parse(given[first] ?? ''), Date.parse(given[second] ?? '')];
    return from >= to ? [`"${first}" (${given[first]}) must lie before "${second}" (${given[second]})`] : [];
  });
}
