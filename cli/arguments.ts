/** Reads what is given on the command line. */
import { InvalidArgumentError } from 'commander';

/** @throws InvalidArgumentError, which commander shows with the option's name */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Expected a whole number, for example 42.');
  return Number(text);
}

/** A time like `2026-01-31T00:00:00Z`. @throws InvalidArgumentError, as above */
export function instant(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('Expected a time, for example 2026-01-31T00:00:00Z.');
  return time;
}
