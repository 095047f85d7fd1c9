/** What an examination of the machine finds: one row for each thing that a start needs. */

/** `warning`: a start works, or makes it work; `failed`: it does not. */
export type CheckVerdict = 'ok' | 'warning' | 'failed';

export interface Check {
  readonly name: string;
  readonly verdict: CheckVerdict;
  readonly found: string;
  /** What to do about it; there whenever the verdict is not ok. */
  readonly cure?: string;
}

export const ok = (name: string, found: string): Check => ({ name, verdict: 'ok', found });

export const warning = (name: string, found: string, cure: string): Check => ({
  name,
  verdict: 'warning',
  found,
  cure,
});

export const failed = (name: string, found: string, cure: string): Check => ({
  name,
  verdict: 'failed',
  found,
  cure,
});
