/** Keeps a recorded history that is about to be written anew, where the workflows of now do something else than it says. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { EARLIER_HISTORIES } from '../../workers/replay-gate.ts';

/**
 * What it carried over is what runs of then carry over, and a replay gate goes on reading it.
 * @param replays whether the workflows of now do what a history says, given as it is stored
 * @returns the name that it is kept under; undefined where the new one stands for it
 */
export async function keepEarlier(
  directory: string,
  name: string,
  replays: (json: string) => Promise<boolean>,
): Promise<string | undefined> {
  const file = join(directory, `${name}.json`);
  if (!existsSync(file)) return undefined;
  const json = readFileSync(file, 'utf8');
  if (await replays(json)) return undefined;
  const kept = `${name}.${createHash('sha256').update(json).digest('hex').slice(0, 8)}`;
  mkdirSync(join(directory, EARLIER_HISTORIES), { recursive: true });
  renameSync(file, join(directory, EARLIER_HISTORIES, `${kept}.json`));
  return kept;
}
