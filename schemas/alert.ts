/** What the alert webhook is sent: one document when something needs a person, another when it no longer does. */
import { z } from 'zod';

export const ALERT_KINDS = [
  'job-failing',
  'job-unstable',
  'job-rolled-back',
  'ingestion-failing',
  'windows-incomplete',
  'check-missing',
] as const;

export const alertSchema = z.object({
  /** `raised` when it begins, `resolved` when it is over; both carry the same id. */
  status: z.enum(['raised', 'resolved']).describe('raised when it begins, resolved when it is over'),
  /** Sent again after a failed delivery: the same id and status are the same notice. */
  id: z
    .string()
    // It stands in a header, which can hold no other characters.
    .regex(/^[\x21-\x7e]{1,300}$/, 'expected 1 to 300 printable ASCII characters')
    .describe('The same for the notice that raises and the one that resolves'),
  kind: z.enum(ALERT_KINDS).describe('What sort of trouble'),
  /** What it is about, for example `flink-job/weather-stream`. */
  subject: z.string().describe('What it is about: the id of the workflow that guards it, or of the schedule'),
  reason: z.string().describe('The cause in one sentence'),
  since: z.iso.datetime().describe('When the trouble began, ISO 8601 in UTC'),
  at: z.iso.datetime().describe('When this notice was made, ISO 8601 in UTC'),
});
export type AlertKind = (typeof ALERT_KINDS)[number];
export type Alert = z.infer<typeof alertSchema>;
