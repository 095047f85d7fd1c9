/** Makes sure of kcat, which the examples for producers use: finds it, installs it with apt where that needs no question, or says how. */
import { PrerequisiteError } from '../../stack/errors.ts';
import { run, which } from '../../stack/provision/run.ts';

/** @throws PrerequisiteError with the install command when it is missing and cannot be installed from here */
export async function ensureKcat(say: (sentence: string) => void): Promise<void> {
  if (which('kcat') !== undefined) return;
  await install(say);
  if (which('kcat') === undefined) throw missingError();
}

async function install(say: (sentence: string) => void): Promise<void> {
  if (which('apt-get') === undefined) throw missingError();
  const root = process.getuid?.() === 0;
  const maySudo = async (): Promise<boolean> =>
    which('sudo') !== undefined &&
    (await run('sudo', ['-n', 'true']).then(
      () => true,
      () => false,
    ));
  if (!root && !(await maySudo())) throw missingError();
  say('Installing kcat with apt-get, because it is missing.');
  // sudo drops variables, so the one that keeps apt from asking is set behind it.
  const prefix = [...(root ? [] : ['sudo', '-n']), '/usr/bin/env', 'DEBIAN_FRONTEND=noninteractive'];
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', 'kcat']]) {
    const [command, ...rest] = [...prefix, 'apt-get', ...args] as [string, ...string[]];
    await run(command, rest);
  }
}

function missingError(): PrerequisiteError {
  const managers = [
    ['brew', 'brew install kcat'],
    ['pacman', 'sudo pacman -S --noconfirm kcat'],
  ] as const;
  const [, line] = managers.find(([command]) => which(command) !== undefined) ?? [
    '',
    'sudo apt-get install -y kcat',
  ];
  return new PrerequisiteError(
    'kcat is not on this machine, and the test runs the examples of docs/producers.md with it.',
    `Install with: ${line}`,
  );
}
