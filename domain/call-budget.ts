/**
 * Decides who may call a source now: leases of calls within the limits of a key, for any sliding minute and for the month. Where
 * the state is kept, and the waiting, is `clients/call-budget.ts`'s.
 */

export interface CallLimits {
  readonly callsPerMinute: number;
  /** Of a calendar month, UTC. */
  readonly callsPerMonth: number;
}

/** What calls are for, the most urgent first. */
export const callPurposes = ['live', 'repair', 'backfill'] as const;
export type CallPurpose = (typeof callPurposes)[number];

/** Parts of the limits that the less urgent purposes may take; live polling may take whatever is free. */
export interface CallShares {
  /** Of repairs and backfills together: the rest is always there for live polling. */
  readonly others: number;
  readonly backfill: number;
}

/** Live polling is planned for at most this part of a plan, so that repairs and backfills live too. */
export const livePart = 0.5;

export interface Lease {
  readonly atMs: number;
  readonly purpose: CallPurpose;
  readonly calls: number;
}

/** The state of one key's budget. */
export interface CallBudgetState {
  readonly leases: readonly Lease[];
  /** `YYYY-MM`. */
  readonly month: string;
  readonly usedInMonth: Readonly<Record<CallPurpose, number>>;
  /** The source refused calls: until then none is leased. 0 when it did not. */
  readonly blockedUntilMs: number;
  /** How often it did so since it last answered. */
  readonly refusals: number;
}

export const unusedBudget: CallBudgetState = {
  leases: [],
  month: '',
  usedInMonth: { live: 0, repair: 0, backfill: 0 },
  blockedUntilMs: 0,
  refusals: 0,
};

/** A call that is not sent within this time of its lease is not sent under it. */
export const leaseValidMs = 2_000;
/** How much later than it was sent a call may reach the source. */
const travelMs = 3_000;
/** Calls leased within such a time reach the source within a minute at worst. */
export const leaseWindowMs = 60_000 + leaseValidMs + travelMs;

export interface LeaseRequest {
  readonly purpose: CallPurpose;
  readonly calls: number;
}

export interface LeaseDecision {
  /** 0 to as many as were asked for. */
  readonly granted: number;
  /** When asking again is of use, if none was granted. */
  readonly retryAtMs: number;
  /** Why none was granted. */
  readonly reason: 'granted' | 'minute' | 'month' | 'blocked';
  readonly state: CallBudgetState;
}

export interface LeaseTerms {
  readonly limits: CallLimits;
  readonly shares: CallShares;
}

/** Grants as many of the wanted calls as the limits leave at this moment. `nowMs` never lies before that of an earlier decision. */
export function leaseCalls(
  given: CallBudgetState,
  { purpose, calls }: LeaseRequest,
  { limits, shares }: LeaseTerms,
  nowMs: number,
): LeaseDecision {
  const state = forget(given, nowMs);
  const refuse = (reason: LeaseDecision['reason'], retryAtMs: number): LeaseDecision => ({
    granted: 0,
    retryAtMs,
    reason,
    state,
  });
  if (nowMs < state.blockedUntilMs) return refuse('blocked', state.blockedUntilMs);
  const inMonth = roomFor(purpose, state.usedInMonth, limits.callsPerMonth, shares);
  if (inMonth < 1) return refuse('month', startOfNextMonth(nowMs));
  const inMinute = roomFor(purpose, usedIn(state.leases), limits.callsPerMinute, shares);
  if (inMinute < 1) return refuse('minute', whenThereIsRoom(state.leases, purpose, limits, shares));
  const granted = Math.min(calls, inMonth, inMinute);
  return {
    granted,
    retryAtMs: nowMs,
    reason: 'granted',
    state: {
      ...state,
      leases: withLease(state.leases, { atMs: nowMs, purpose, calls: granted }),
      usedInMonth: { ...state.usedInMonth, [purpose]: state.usedInMonth[purpose] + granted },
    },
  };
}

const firstBlockMs = 1_000;
const longestBlockMs = 60_000;
/** A source that asks for more is asked again after a day: a wrong header must not silence it for years. */
const longestAskedMs = 24 * 60 * 60_000;

/**
 * After the source said that a limit is reached: nobody calls for as long as it asked for, or for a second, twice as long each
 * further time. Refusals of calls that were under way meanwhile say nothing new.
 */
export function afterRefusal(
  state: CallBudgetState,
  retryAfterMs: number | undefined,
  nowMs: number,
): CallBudgetState {
  if (nowMs < state.blockedUntilMs && retryAfterMs === undefined) return state;
  const ownMs = Math.min(longestBlockMs, firstBlockMs * 2 ** state.refusals);
  const isNew = nowMs >= state.blockedUntilMs;
  // "Now" is no time to ask again after a refusal.
  const leastMs = isNew ? firstBlockMs : 0;
  const blockMs = Math.max(leastMs, Math.min(longestAskedMs, retryAfterMs ?? ownMs));
  const blockedUntilMs = Math.max(state.blockedUntilMs, nowMs + blockMs);
  return { ...state, blockedUntilMs, refusals: Math.min(state.refusals + (isNew ? 1 : 0), 30) };
}

/** After the source answered a call: earlier refusals no longer count. An answer that was under way before the last one says nothing. */
export function afterAnswer(state: CallBudgetState, nowMs: number): CallBudgetState {
  return nowMs < state.blockedUntilMs ? state : { ...state, refusals: 0 };
}

type Used = Readonly<Record<CallPurpose, number>>;

/** May be negative: limits can be lowered while calls are leased. */
function roomFor(purpose: CallPurpose, used: Used, limit: number, shares: CallShares): number {
  const others = used.repair + used.backfill;
  const total = limit - used.live - others;
  if (purpose === 'live') return total;
  const ofOthers = Math.min(total, partOf(limit, shares.others) - others);
  if (purpose === 'repair') return ofOthers;
  return Math.min(ofOthers, partOf(limit, shares.backfill) - used.backfill);
}

/** At least one call: a small limit must not shut a purpose out for ever. */
const partOf = (limit: number, share: number): number => Math.max(1, Math.floor(limit * share));

function usedIn(leases: readonly Lease[]): Used {
  const used = { live: 0, repair: 0, backfill: 0 };
  for (const { purpose, calls } of leases) used[purpose] += calls;
  return used;
}

/** When enough of the oldest leases have left the window. */
function whenThereIsRoom(
  leases: readonly Lease[],
  purpose: CallPurpose,
  { callsPerMinute }: CallLimits,
  shares: CallShares,
): number {
  for (let count = 1; count <= leases.length; count += 1) {
    if (roomFor(purpose, usedIn(leases.slice(count)), callsPerMinute, shares) >= 1)
      return (leases[count - 1] as Lease).atMs + leaseWindowMs;
  }
  throw new RangeError(`A limit of ${callsPerMinute} calls a minute leaves nothing for ${purpose}.`);
}

const sameLeaseMs = 500;

/** Leases of one purpose within half a second are kept as one, of the later time: a row of a busy key stays small. */
function withLease(leases: readonly Lease[], lease: Lease): readonly Lease[] {
  const like = leases.findLastIndex(({ purpose }) => purpose === lease.purpose);
  const last = leases[like];
  const slot = ({ atMs }: Lease): number => Math.floor(atMs / sameLeaseMs);
  if (last === undefined || slot(last) !== slot(lease)) return [...leases, lease];
  return [...leases.slice(0, like), ...leases.slice(like + 1), { ...lease, calls: last.calls + lease.calls }];
}

/** What no longer counts: leases that left the window, and an earlier month. */
function forget(state: CallBudgetState, nowMs: number): CallBudgetState {
  const month = new Date(nowMs).toISOString().slice(0, 7);
  return {
    ...state,
    leases: state.leases.filter(({ atMs }) => atMs > nowMs - leaseWindowMs),
    ...(month === state.month ? {} : { month, usedInMonth: unusedBudget.usedInMonth }),
  };
}

function startOfNextMonth(nowMs: number): number {
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
}

/** So many locations are polled at this cadence. */
export interface LiveDemand {
  readonly cadenceMinutes: number;
  readonly locations: number;
}

export interface LivePlan {
  readonly fits: boolean;
  readonly callsPerMinute: number;
  /** Of a month of 31 days. */
  readonly callsPerMonth: number;
  /** The arithmetic in sentences. */
  readonly explanation: string;
}

const longestMonthMinutes = 31 * 24 * 60;

/** Whether a plan carries this live polling, which may take half of each of its limits. */
export function planLiveCalls(demand: readonly LiveDemand[], limits: CallLimits): LivePlan {
  const perMinute = demand.reduce(
    (sum, { cadenceMinutes, locations }) => sum + locations / cadenceMinutes,
    0,
  );
  const callsPerMinute = wholeCalls(perMinute);
  const callsPerMonth = wholeCalls(perMinute * longestMonthMinutes);
  const most = {
    perMinute: Math.floor(limits.callsPerMinute * livePart),
    perMonth: Math.floor(limits.callsPerMonth * livePart),
  };
  const fits = callsPerMinute <= most.perMinute && callsPerMonth <= most.perMonth;
  const polled = demand
    .filter(({ locations }) => locations > 0)
    .map(({ cadenceMinutes, locations }) => `${shown(locations)} every ${cadenceMinutes} min`)
    .join(' and ');
  const needs = `${polled === '' ? 'no locations' : `locations polled: ${polled}`} need ${shown(callsPerMinute)} calls a minute and ${shown(callsPerMonth)} in a month of 31 days`;
  const allows = `live polling may use half of the plan, ${shown(most.perMinute)} of ${shown(limits.callsPerMinute)} calls a minute and ${shown(most.perMonth)} of ${shown(limits.callsPerMonth)} a month`;
  const atTenMinutes = Math.min(most.perMinute * 10, Math.floor((most.perMonth * 10) / longestMonthMinutes));
  const remedy = fits
    ? ''
    : ` That carries ${shown(atTenMinutes)} locations every 10 min: choose fewer locations, a longer cadence, or a larger plan.`;
  return { fits, callsPerMinute, callsPerMonth, explanation: `${capitalized(needs)}; ${allows}.${remedy}` };
}

/** Rounded up, but for what the sum of fractions is off. */
const wholeCalls = (calls: number): number => Math.max(0, Math.ceil(calls - 1e-6));

const shown = (value: number): string => value.toLocaleString('en-US');
const capitalized = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
