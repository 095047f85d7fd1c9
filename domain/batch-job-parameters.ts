/** Judges the parameters a caller gives to a batch job, and writes them as the values of the literals in its Flink SQL. */
import { type BatchParameterKind, batchParameterKinds } from '../schemas/batch-job.ts';
import type { BatchJobDefinition } from '../schemas/pipeline.ts';
import { type OffsetRanges, rangesFrom } from './backfill-offsets.ts';
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
  /** What the SQL asks for under the parameter's name, each as the text between the quotes of Flink's literal. */
  readonly literals: (name: string, value: string) => Readonly<Record<string, string>>;
}

const RANGES = /^\d{1,5}:\d{1,15}-\d{1,15}(;\d{1,5}:\d{1,15}-\d{1,15})*$/;
const HOUR = /^(\d{4}-\d{2}-\d{2})T(\d{2}:00:00)Z$/;

const RULES: Readonly<Record<BatchParameterKind, KindRules>> = {
  hour: {
    // What is no date, such as the 30th of February, is read as another one or not at all.
    fits: (value) => HOUR.test(value) && toIso(value) === value.replace('Z', '.000Z'),
    literals: (name, value) => ({ [name]: value.replace(HOUR, '$1 $2') }),
  },
  topic: {
    fits: (value) => /^[a-zA-Z0-9._-]{1,249}$/.test(value),
    literals: (name, value) => ({ [name]: value }),
  },
  name: {
    fits: (value) => /^[a-zA-Z0-9][a-zA-Z0-9-]{0,199}$/.test(value),
    literals: (name, value) => ({ [name]: value }),
  },
  offsets: {
    fits: (value) => RANGES.test(value) && areProper(rangesFrom(value)),
    // As Kafka's connector takes them: once where to begin, once where to end.
    literals: (name, value) => ({
      [`${name}_first`]: placesText(rangesFrom(value).map(({ partition, first }) => [partition, first])),
      [`${name}_end`]: placesText(rangesFrom(value).map(({ partition, end }) => [partition, end])),
    }),
  },
};

function areProper(ranges: OffsetRanges): boolean {
  const partitions = new Set(ranges.map(({ partition }) => partition));
  return partitions.size === ranges.length && ranges.every(({ first, end }) => first <= end);
}

const placesText = (places: readonly (readonly [number, number])[]): string =>
  places.map(([partition, offset]) => `partition:${partition},offset:${offset}`).join(';');

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
  return Object.assign(
    {},
    ...Object.entries(definition.parameters).map(([name, kind]) =>
      RULES[kind].literals(name, given[name] ?? ''),
    ),
  ) as Record<string, string>;
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
