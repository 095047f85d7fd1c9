/**
 * Owns which faults the mock can be told to have, and which of them a call meets: a pure function of the seed and of which
 * call it is. What a client sees of a fault is `faults-on-the-wire.ts`'s.
 */
import * as z from 'zod';
import { describeIssue, shownValue } from '../schemas/openweathermap.ts';
import { hashOf, hashOfText, unitOf } from './noise.ts';

const share = z
  .number({ error: 'expected a number from 0 to 1' })
  .min(0, { error: 'expected a number from 0 to 1' })
  .max(1, { error: 'expected a number from 0 to 1' });

const wholeNumber = (most: number) => {
  const error = `expected a whole number from 1 to ${most}`;
  return z.int({ error }).min(1, { error }).max(most, { error });
};

/** A misspelt name would otherwise be a fault that never comes. */
function exactly<Shape extends z.ZodRawShape>(shape: Shape) {
  const error = `expected an object with nothing but ${Object.keys(shape).join(', ')}`;
  return z.strictObject(shape, { error });
}

const outage = exactly({
  /** City ids; every call is meant when it is absent. */
  cities: z.array(wholeNumber(Number.MAX_SAFE_INTEGER)).min(1, { error: 'expected a city id' }).optional(),
  answer: z
    .enum(['serverError', 'gatewayPage', 'reset', 'silence'], {
      error: 'expected serverError, gatewayPage, reset or silence',
    })
    .default('serverError'),
});

const rateLimit = exactly({
  share,
  /** A burst as a number of consecutive calls of one city. */
  calls: wholeNumber(1_000_000).optional(),
  /** A burst as a time, for every call. */
  seconds: wholeNumber(86_400).optional(),
}).refine(({ calls, seconds }) => (calls === undefined) !== (seconds === undefined), {
  error: 'expected the length of a burst, either as calls or as seconds',
});

/** What `hourglass mock --faults`, `MOCK_FAULTS` and `PUT /faults` take. What is absent does not happen. */
export const faultsSchema = exactly({
  /** Draws other faults for the same weather; the mock's own seed when it is absent. */
  seed: z.string({ error: 'expected a text' }).optional(),
  outages: z.array(outage, { error: 'expected a list of outages' }).optional(),
  rateLimit: rateLimit.optional(),
  serverError: share.optional(),
  gatewayPage: share.optional(),
  truncated: share.optional(),
  reset: share.optional(),
  wrongContentType: share.optional(),
  htmlPage: share.optional(),
  stale: share.optional(),
  latency: exactly({ share, ms: wholeNumber(600_000) }).optional(),
});

export type Faults = z.infer<typeof faultsSchema>;

/** Thrown for a text or value that describes no faults; its message is one sentence that names the field. */
export class FaultsError extends Error {
  override readonly name = 'FaultsError';
}

/** The description of faults in a JSON text. @throws FaultsError */
export function parseFaults(text: string): Faults {
  const parsed = faultsSchema.safeParse(jsonOf(text), { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new FaultsError(
    describeIssue(parsed.error).replace(/^The document/, 'The description of the faults'),
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FaultsError(
      `The description of the faults is no JSON: ${shownValue(text)}, expected for example {"serverError": 0.05}.`,
    );
  }
}

type Outage = z.infer<typeof outage>;

/** Faults that need nothing but a share, in the order in which the shares are laid side by side; latency comes last. */
const plainKinds = [
  'serverError',
  'gatewayPage',
  'truncated',
  'reset',
  'wrongContentType',
  'htmlPage',
] as const;

export type Fault =
  | { kind: 'outage'; answer: Outage['answer'] }
  | { kind: 'rateLimit' }
  | { kind: (typeof plainKinds)[number] }
  /** The observation of so many steps before the newest. */
  | { kind: 'stale'; stepsBack: number }
  | { kind: 'latency'; ms: number };

export type FaultKind = Fault['kind'];

const mostStepsBack = 6;

/** Which call it is. */
export interface FaultQuestion {
  seed: string;
  /** Absent when the call asks for no city of the mock. */
  cityId: number | undefined;
  path: string;
  /** How many calls of this city, or without a city of this path, came before it. */
  callsBefore: number;
  atSeconds: number;
}

/** So that one draw knows nothing of another. */
const draws = { burst: 1, kind: 2, stepsBack: 3 } as const;

/**
 * The one fault that a call meets, or none. An outage comes first, then a burst of 429. Then one number is drawn for the call,
 * and the shares of the other kinds lie side by side on [0, 1), so that each is met exactly; what goes beyond 1 is cut off,
 * latency first.
 */
export function faultOf(faults: Faults, question: FaultQuestion): Fault | undefined {
  const { cityId, path, callsBefore } = question;
  const seedHash = hashOfText(faults.seed ?? question.seed);
  const subject = cityId ?? hashOfText(path);
  const out = faults.outages?.find(
    ({ cities }) => cities === undefined || (cityId !== undefined && cities.includes(cityId)),
  );
  if (out !== undefined) return { kind: 'outage', answer: out.answer };
  if (faults.rateLimit !== undefined && isInBurst(faults.rateLimit, { seedHash, subject, ...question }))
    return { kind: 'rateLimit' };
  const drawn = unitOf(seedHash, draws.kind, subject, callsBefore);
  return faultAt(
    drawn,
    faults,
    () => 1 + (hashOf(seedHash, draws.stepsBack, subject, callsBefore) % mostStepsBack),
  );
}

interface BurstQuestion {
  seedHash: number;
  subject: number;
  callsBefore: number;
  atSeconds: number;
}

/** Time, or a city's calls, fall into blocks of a burst's length; a share of the blocks are bursts. */
function isInBurst({ share, calls, seconds }: z.infer<typeof rateLimit>, question: BurstQuestion): boolean {
  const { seedHash, subject, callsBefore, atSeconds } = question;
  const block =
    seconds === undefined
      ? [subject, Math.floor(callsBefore / (calls ?? 1))]
      : [Math.floor(atSeconds / seconds)];
  return unitOf(seedHash, draws.burst, ...block) < share;
}

function faultAt(drawn: number, faults: Faults, stepsBack: () => number): Fault | undefined {
  let upTo = 0;
  for (const kind of plainKinds) {
    upTo += faults[kind] ?? 0;
    if (drawn < upTo) return { kind };
  }
  upTo += faults.stale ?? 0;
  if (drawn < upTo) return { kind: 'stale', stepsBack: stepsBack() };
  if (faults.latency === undefined) return undefined;
  return drawn < upTo + faults.latency.share ? { kind: 'latency', ms: faults.latency.ms } : undefined;
}
