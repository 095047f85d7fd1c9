/** What each plan of OpenWeatherMap allows. https://openweathermap.org/price */
import { type CallLimits, type LeaseTerms, livePart } from '../domain/call-budget.ts';

export const planLimits = {
  free: { callsPerMinute: 60, callsPerMonth: 1_000_000 },
  startup: { callsPerMinute: 600, callsPerMonth: 10_000_000 },
  developer: { callsPerMinute: 3_000, callsPerMonth: 100_000_000 },
  professional: { callsPerMinute: 30_000, callsPerMonth: 1_000_000_000 },
} as const satisfies Record<string, CallLimits>;

/** On which terms calls are leased under a plan. @param backfillShare the part of its calls that backfills may take */
export const leaseTerms = (plan: keyof typeof planLimits, backfillShare: number): LeaseTerms => ({
  limits: planLimits[plan],
  shares: { others: 1 - livePart, backfill: backfillShare },
});

/** The terms of a source: those of the key, unless it has limits of its own. */
export const termsOf = (ofKey: LeaseTerms, limits: CallLimits | undefined): LeaseTerms =>
  limits === undefined ? ofKey : { ...ofKey, limits };
