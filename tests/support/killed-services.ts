/** SIGKILL to one service of a stack of one's own, as the kernel or a person would. */
import { eventually } from './eventually.ts';
import type { OwnStack } from './own-stack.ts';

/**
 * Kills the process of the first service of that name, or whose name begins so.
 * @returns resolves when it is killed; `untilBack` when the supervisor has another one in its place
 */
export async function killService(
  stack: OwnStack,
  prefix: string,
  withinMs: number,
): Promise<{ untilBack: Promise<unknown> }> {
  const name = stack.services().find((service) => service.name.startsWith(prefix))?.name ?? prefix;
  const { process: identity } = stack.service(name);
  if (identity === undefined) throw new Error(`${name} does not run`);
  process.kill(identity.pid, 'SIGKILL');
  const untilBack = eventually(
    `${name} is back`,
    async () => stack.service(name),
    (service) => service.phase === 'ready' && service.process?.pid !== identity.pid,
    { withinMs },
  );
  return { untilBack };
}
