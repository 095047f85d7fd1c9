/** Owns the faults that the mock has at the moment, and the count of calls they are drawn by. */
import { type Fault, type Faults, faultOf } from './faults.ts';

export interface FaultsInForce {
  current(): Faults;
  /** The counts begin anew: the same faults put in force again meet the same calls. */
  replace(faults: Faults): void;
  /** The fault that the next call of this city, or without a city of this path, meets. */
  next(call: { cityId: number | undefined; path: string; atMs: number }): Fault | undefined;
}

export function createFaultsInForce(seed: string, initial: Faults): FaultsInForce {
  let faults = initial;
  // As many entries as there are cities and known paths.
  let calls = new Map<number | string, number>();
  return {
    current: () => faults,
    replace(next) {
      faults = next;
      calls = new Map();
    },
    next({ cityId, path, atMs }) {
      const subject = cityId ?? path;
      const callsBefore = calls.get(subject) ?? 0;
      calls.set(subject, callsBefore + 1);
      return faultOf(faults, { seed, cityId, path, callsBefore, atSeconds: Math.floor(atMs / 1000) });
    },
  };
}
