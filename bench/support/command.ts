/** Runs a bench as a command: its options, and one readable sentence when it fails. */
import { type Command, InvalidArgumentError } from 'commander';
import { HourglassError } from '../../domain/errors.ts';
import { UnknownChoiceError } from './errors.ts';

/** Parses the arguments of this process and runs the command's action; a failure is told in a sentence and as exit code 1. */
export async function runCommand(command: Command): Promise<void> {
  try {
    await command.parseAsync();
  } catch (error) {
    console.error(error instanceof HourglassError ? `bench: ${error.message}` : error);
    process.exitCode = 1;
  }
  // What an interruption has left waiting would keep the process alive for ever.
  process.exit();
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1');
  return value;
}

export const names = (text: string): string[] => text.split(',').map((name) => name.trim());

/** @throws UnknownChoiceError */
export function choose<T extends { readonly name: string }>(
  all: readonly T[],
  only: readonly string[] | undefined,
): readonly T[] {
  const unknown = only?.find((name) => !all.some((each) => each.name === name));
  if (unknown !== undefined)
    throw new UnknownChoiceError(
      unknown,
      all.map(({ name }) => name),
    );
  return all.filter(({ name }) => only?.includes(name) ?? true);
}
