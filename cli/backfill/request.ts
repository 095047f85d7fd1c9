/** Makes the request of a backfill from the options of the command line, and refuses what the workflow would refuse. */
import { resolve } from 'node:path';
import type { z } from 'zod';
import { type BackfillRequest, backfillRequestSchema } from '../../schemas/backfill.ts';
import { hourAgo } from '../arguments.ts';
import type { NamedLocation } from '../named-locations.ts';
import { UsageError } from '../usage-error.ts';

export interface RequestOptions {
  readonly pipeline: string;
  readonly from?: string;
  readonly to?: string;
  readonly city?: readonly string[];
  readonly input?: string;
  readonly file?: string;
  readonly units?: string;
  readonly reprocess?: string;
  readonly order?: string;
  readonly maxConcurrency?: number;
  readonly reason?: string;
}

/** Thrown for a backfill whose options do not fit together. Nothing was planned. */
export class InvalidRequestError extends UsageError {
  constructor(mistakes: readonly string[]) {
    super(
      'INVALID_REQUEST',
      `Nothing was planned: ${mistakes.join('; ')}. For example \`hourglass backfill plan --from 2026-01-30 --to 2026-01-31T06:00:00Z\`.`,
    );
  }
}

/**
 * @param locations those that `city` names; all of the registry when left out
 * @param now what `36h` goes by: plans of one command want the same
 * @throws InvalidRequestError
 */
export function requestOf(
  options: RequestOptions,
  locations: readonly NamedLocation[] | undefined,
  now: Date,
): BackfillRequest {
  const { city: _, from, to, file, ...rest } = options;
  const parsed = backfillRequestSchema.safeParse({
    ...rest,
    from: from === undefined ? undefined : hourOf(from, now),
    to: to === undefined ? undefined : hourOf(to, now),
    // A worker has another working directory.
    file: file === undefined ? undefined : resolve(file),
    entities: locations?.map(({ city_id }) => city_id),
  });
  if (parsed.success) return parsed.data;
  throw new InvalidRequestError(parsed.error.issues.map((issue) => mistakeOf(issue, options)));
}

/** As every command takes an hour: a date stands for its midnight, `2026-01-31T17` for the whole hour, both in UTC; `36h` and `now` too. */
function hourOf(text: string, now: Date): string {
  const ago = hourAgo(text, now);
  if (ago !== undefined) return ago.toISOString();
  const [, day, time = '00'] = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2})(?::00){0,2})?$/.exec(text) ?? [];
  return day === undefined ? text : `${day}T${time}:00:00Z`;
}

function mistakeOf({ path, message }: z.core.$ZodIssue, options: RequestOptions): string {
  const [field] = path;
  if (field === undefined) return message;
  const option = `--${String(field).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const given = options[field as keyof RequestOptions];
  return given === undefined ? `${option} is missing, ${message}` : `${option} is "${given}", ${message}`;
}
