/** What becomes of a command when nobody reads what it prints any more: it ends, as `head` and `grep -m1` want it, or it goes on. */
import { exitCodes } from './program.ts';

const streams = [process.stdout, process.stderr] as const;

/** Who reads no further has all that was wanted: no failure. */
export function endWithTheReader(): void {
  for (const stream of streams) stream.on('error', end);
}

function end(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.success);
}

/** A closed window, or a pipe whose reader is gone, must not end a supervisor before it has stopped what it started. */
export function outliveTheReader(): void {
  for (const stream of streams) {
    stream.off('error', end);
    stream.on('error', () => undefined);
  }
}
