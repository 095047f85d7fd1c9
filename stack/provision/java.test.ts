import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { temporaryDirectories } from '../../tests/support/temporary-directories.ts';
import { PrerequisiteError } from '../errors.ts';
import { ensureJavaAndMaven, findJava } from './java.ts';

const temporaryDirectory = temporaryDirectories();
afterEach(() => vi.unstubAllEnvs());

const JAVA = {
  11: 'openjdk version "11.0.21" 2023-10-17',
  17: 'openjdk version "17.0.9" 2023-10-17',
  21: 'openjdk version "21" 2023-09-19',
  25: 'openjdk version "25.0.1" 2025-10-21',
} as const;

/** A PATH with these programs and no other: nothing of this machine can be found, least of all its package manager. */
function onlyOnPath(programs: Record<string, string>): string {
  const directory = temporaryDirectory();
  for (const [name, says] of Object.entries(programs)) program(directory, name, says);
  vi.stubEnv('PATH', directory);
  vi.stubEnv('JAVA_HOME', undefined);
  return directory;
}

const program = (directory: string, name: string, says: string): void =>
  script(directory, name, `echo '${says}' >&2`);

function script(directory: string, name: string, body: string): void {
  writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(directory, name), 0o755);
}

const ensure = () =>
  ensureJavaAndMaven((sentence) => {
    throw new Error(`it began to install: ${sentence}`);
  });

describe('Java and Maven', () => {
  test.each([17, 21] as const)('Java %i and Maven on PATH are what is needed', async (version) => {
    const directory = onlyOnPath({ java: JAVA[version], mvn: '' });
    expect(await ensure()).toEqual({ command: join(directory, 'java'), version });
  });

  test('an older Java is told with the line that installs the right one', async () => {
    onlyOnPath({ java: JAVA[11], mvn: '' });
    await expect(ensure()).rejects.toThrow(PrerequisiteError);
    await expect(ensure()).rejects.toThrow(
      'Java 17 to 21 is not on this machine. Install with: sudo apt-get install -y openjdk-17-jre-headless',
    );
  });

  test.each([
    ['a newer Java', { java: JAVA[25], mvn: '' }],
    ['a `java` that only says that there is none', { java: 'Unable to locate a Java Runtime.', mvn: '' }],
    ['no Java', { mvn: '' }],
  ])('%s counts as none', async (_, programs) => {
    onlyOnPath(programs);
    await expect(ensure()).rejects.toThrow('Java 17 to 21 is not on this machine.');
  });

  test('a missing Maven is told alone, and both together', async () => {
    onlyOnPath({ java: JAVA[17] });
    await expect(ensure()).rejects.toThrow(
      'Maven is not on this machine. Install with: sudo apt-get install -y maven',
    );
    onlyOnPath({});
    await expect(ensure()).rejects.toThrow(
      'Java 17 to 21 and Maven are not on this machine. Install with: sudo apt-get install -y openjdk-17-jre-headless maven',
    );
  });

  test.each([
    ['brew', 'brew install openjdk@21 maven'],
    ['dnf', 'sudo dnf install -y java-21-openjdk-headless maven'],
    ['pacman', 'sudo pacman -S --noconfirm jre21-openjdk-headless maven'],
    ['zypper', 'sudo zypper install -y java-21-openjdk-headless maven'],
  ])('the line is for %s where that is the package manager', async (manager, line) => {
    onlyOnPath({ [manager]: '' });
    await expect(ensure()).rejects.toThrow(`Install with: ${line}`);
  });

  test('what is missing is installed with apt-get where that asks no question, and is said before', async () => {
    const directory = onlyOnPath({ true: '' });
    const calls = join(directory, 'calls');
    const install = ['java', 'mvn'].map(
      (name) => `printf '#!/bin/sh\\necho "${name} version \\"17.0.9\\"" >&2\\n' > ${directory}/${name}`,
    );
    script(directory, 'sudo', 'shift; exec "$@"');
    script(
      directory,
      'apt-get',
      [
        `echo "$* ($DEBIAN_FRONTEND)" >> ${calls}`,
        ...install,
        `/bin/chmod 755 ${directory}/java ${directory}/mvn`,
      ].join('\n'),
    );
    const said: string[] = [];
    const java = await ensureJavaAndMaven((sentence) => said.push(sentence));
    expect(java).toEqual({ command: join(directory, 'java'), version: 17 });
    expect(said).toEqual([
      'Installing openjdk-17-jre-headless and maven with apt-get, because java and maven are missing.',
    ]);
    expect(readFileSync(calls, 'utf8')).toBe(
      'update (noninteractive)\ninstall -y --no-install-recommends openjdk-17-jre-headless maven (noninteractive)\n',
    );
  });

  test('JAVA_HOME goes before PATH, as it does for Maven', async () => {
    onlyOnPath({ java: JAVA[17] });
    const home = temporaryDirectory();
    mkdirSync(join(home, 'bin'));
    program(join(home, 'bin'), 'java', JAVA[21]);
    vi.stubEnv('JAVA_HOME', home);
    expect(await findJava()).toEqual({ command: join(home, 'bin', 'java'), version: 21 });
  });

  test('a JAVA_HOME without a Java is passed over', async () => {
    const directory = onlyOnPath({ java: JAVA[17] });
    vi.stubEnv('JAVA_HOME', temporaryDirectory());
    expect(await findJava()).toEqual({ command: join(directory, 'java'), version: 17 });
  });
});
