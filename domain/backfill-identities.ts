/** Derives the ids of a backfill and of its chunks from what they stand for, so that asking again finds what the first asking made. */
import type { BackfillRequest } from '../schemas/backfill.ts';
import { flinkId } from './identities.ts';

const DIGITS = 12;
/** The first digits of the hash that ids of jobs are made of. */
const digest = (text: string): string => flinkId(text).slice(0, DIGITS);
const compact = (time: string): string => time.replaceAll(/[-:]/g, '').slice(0, 11);

/**
 * What a request is known by: the same for every request that asks for the same work. How many chunks are loaded at once and why it
 * is done make no difference.
 */
export function backfillRequestKey({ maxConcurrency, reason, ...work }: BackfillRequest): string {
  const { pipeline, from, to } = work;
  const fields = Object.entries(work).filter(([, value]) => value !== undefined);
  const text = JSON.stringify(fields.sort(([one], [other]) => (one < other ? -1 : 1)));
  return `${pipeline}-${compact(from)}-${compact(to)}-${digest(text)}`;
}

/** `weather-20260101T00-20260131T00-1f0c8a2b3d4e`. @param repeat 1, and more where identical backfills have ended before */
export const backfillId = (request: BackfillRequest, repeat: number): string =>
  `${backfillRequestKey(request)}${repeat > 1 ? `-${repeat}` : ''}`;

/** `batch-20260101-1f0c8a2b3d4e`: one key for one path and set of windows. */
export const chunkKey = (path: string, windows: { readonly firstDay: string }): string =>
  `${path}-${compact(windows.firstDay)}-${digest(JSON.stringify(windows))}`;

export const backfillWorkflowId = (id: string): string => `backfill/${id}`;
export const chunkWorkflowId = (id: string, key: string): string => `backfill/${id}/${key}`;

/** What a load by batch is known by: the same for the same offsets of the same backfill. */
export const loadId = (id: string, topic: string, offsets: string): string =>
  `${id}-${digest(`${topic}/${offsets}`)}`;

/** By whose turn it is among backfills. It has at most 64 bytes; what tells ids apart is at their end. */
export const fairnessKeyOf = (id: string): string => id.slice(-64);
