/** Asks the person at the terminal whether something is to be done. */
import { createInterface } from 'node:readline/promises';

/** Where nobody sits who could answer, nobody has said yes. */
export async function isConfirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`\n${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
