/** Owns how often each key called and how often it may: the limit of a sliding minute, counted exactly. */
import { callsPerMinuteOf, keyFingerprint } from './keys.ts';
import { createMinuteWindow } from './minute-window.ts';

export interface KeyCalls {
  /** Of the key, see `keyFingerprint`. */
  key: string;
  callsPerMinute: number;
  /** All calls with this key, refused ones too. */
  total: number;
  /** Those that came to no route: a 401, the limit, an unknown path. A 429 that was a fault is not among them. */
  refused: number;
  /** The greatest number of calls let in within any sliding minute so far. */
  mostAcceptedInAnyMinute: number;
  /** The same of all calls by their time of arrival, refused ones too: what the client sent. */
  mostInAnyMinute: number;
}

export interface KeyAccount {
  readonly fingerprint: string;
  /** Counts a call that arrived. */
  arrive(atMs: number): void;
  /** Counts the arrived call as let in, unless the minute that ends with it is full: then it says no and counts nothing. */
  admit(atMs: number): boolean;
  calls(): KeyCalls;
}

export interface KeyAccounts {
  of(key: string): KeyAccount;
  /** Undefined for a key that never called. */
  find(key: string): KeyAccount | undefined;
  /** Those that called most recently last. */
  all(): readonly KeyCalls[];
}

/** Beyond this the key that has been silent longest is forgotten: a client that invents keys must not fill the memory. */
const keysRemembered = 10_000;

export function createKeyAccounts(callsPerMinute: number): KeyAccounts {
  const accounts = new Map<string, KeyAccount>();
  return {
    of(key) {
      const account = accounts.get(key) ?? createAccount(key, callsPerMinuteOf(key, callsPerMinute));
      accounts.delete(key);
      accounts.set(key, account);
      if (accounts.size > keysRemembered) {
        for (const longestSilent of accounts.keys()) {
          accounts.delete(longestSilent);
          break;
        }
      }
      return account;
    },
    find: (key) => accounts.get(key),
    all: () => [...accounts.values()].map((account) => account.calls()),
  };
}

function createAccount(key: string, callsPerMinute: number): KeyAccount {
  const fingerprint = keyFingerprint(key);
  const arrived = createMinuteWindow();
  const accepted = createMinuteWindow();
  let total = 0;
  let admitted = 0;
  return {
    fingerprint,
    arrive(atMs) {
      total += 1;
      arrived.add(atMs);
    },
    admit(atMs) {
      if (accepted.countAt(atMs) >= callsPerMinute) return false;
      admitted += 1;
      accepted.add(atMs);
      return true;
    },
    calls: () => ({
      key: fingerprint,
      callsPerMinute,
      total,
      refused: total - admitted,
      mostAcceptedInAnyMinute: accepted.most(),
      mostInAnyMinute: arrived.most(),
    }),
  };
}
