/**
 * Owns what a key may do: which are refused, which plan a key stands for and what that plan lacks. How often a key called is
 * `key-accounts.ts`'s.
 */
import { createHash } from 'node:crypto';
import { type MockReply, unauthorizedReply } from './replies.ts';
import type { PlanNeed } from './routes.ts';

/** https://openweathermap.org/price */
export const callsPerMinuteOfPlan = {
  free: 60,
  startup: 600,
  developer: 3_000,
  professional: 30_000,
} as const;

export type PlanName = keyof typeof callsPerMinuteOfPlan;
export const planNames = Object.keys(callsPerMinuteOfPlan) as PlanName[];

/** A key that is always refused, to try out what a wrong key does. Any other text is welcome. */
const refusedKey = 'bad';

/** The words of the API, which speak of the missing subscription. */
const oneCallSubscriptionReply: MockReply = {
  status: 401,
  body: '{"cod":401, "message": "Please note that using One Call 3.0 requires a separate subscription to the One Call by Call plan. Learn more here https://openweathermap.org/price. If you have a valid subscription to the One Call by Call plan, but still receive this error, then please see https://openweathermap.org/faq#error401 for more info."}',
};

/** What the free plan does not hold. For paid paths of the version 2.5 the API calls a good key invalid, so the mock does too. */
const refusalsOfFree: Readonly<Record<PlanNeed, MockReply | undefined>> = {
  key: undefined,
  'paid-forecast': unauthorizedReply,
  history: unauthorizedReply,
  'one-call': oneCallSubscriptionReply,
};

/** The spaces are the API's. It sends no Retry-After. */
export const tooManyCallsReply: MockReply = {
  status: 429,
  body: '{"cod":429, "message": "Your account is temporary blocked due to exceeding of requests limitation of your subscription type. Please choose the proper subscription https://openweathermap.org/price"}',
};

/** Why a path is closed to a key, or undefined when it is open. An absent key is the empty text. */
export function keyRefusal(key: string, needs: PlanNeed): MockReply | undefined {
  if (key === '' || key === refusedKey) return unauthorizedReply;
  return key === 'free' ? refusalsOfFree[needs] : undefined;
}

/** The limit of the plan that the key is named after; for any other key the given one. */
export function callsPerMinuteOf(key: string, otherwise: number): number {
  return isPlanName(key) ? callsPerMinuteOfPlan[key] : otherwise;
}

function isPlanName(key: string): key is PlanName {
  return Object.hasOwn(callsPerMinuteOfPlan, key);
}

/** What stands for a key in the mock's memory, which others may read: a client tried against the mock may bring its real key. */
export function keyFingerprint(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12);
}
