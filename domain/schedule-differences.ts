/** Decides how the schedules of a server differ from those declared. Reading them is `clients/schedules.ts`'s. */

/** What a schedule does, as texts that are the same when it does the same; a field that says nothing is left out. */
export type ScheduleFacts = Readonly<Record<string, string>>;

export interface FieldDifference {
  readonly field: string;
  readonly there: string;
  readonly declared: string;
}

export type ScheduleVerdict =
  | { readonly kind: 'as_declared' }
  | { readonly kind: 'differs'; readonly differences: readonly FieldDifference[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'not_declared' };

/** What stands in place of a field that says nothing. */
export const saysNothing = '(none)';

/** @param there undefined when the server has no such schedule; @param declared undefined when nobody declares it any more */
export function judgeSchedule(
  declared: ScheduleFacts | undefined,
  there: ScheduleFacts | undefined,
): ScheduleVerdict {
  if (declared === undefined) return { kind: 'not_declared' };
  if (there === undefined) return { kind: 'missing' };
  const fields = [...new Set([...Object.keys(declared), ...Object.keys(there)])];
  const differences = fields
    .filter((field) => declared[field] !== there[field])
    .map((field) => ({
      field,
      there: there[field] ?? saysNothing,
      declared: declared[field] ?? saysNothing,
    }));
  return differences.length === 0 ? { kind: 'as_declared' } : { kind: 'differs', differences };
}
