/** Reads what is given on the command line. */
import { InvalidArgumentError } from 'commander';

/** @throws InvalidArgumentError, which commander shows with the option's name */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Expected a whole number, for example 42.');
  return Number(text);
}
