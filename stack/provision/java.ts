/** Makes sure of Java and Maven: finds them, installs them with apt where that needs no question, or prints the line that does. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemEnvironment } from '../../config/system.ts';
import { PrerequisiteError } from '../errors.ts';
import { run, which } from './run.ts';

/** What Flink 2.2 and Kafka 4 both run on. */
const JAVA_VERSIONS = { least: 17, most: 21 } as const;

export interface Java {
  readonly command: string;
  readonly version: number;
}

/**
 * @param say receives a sentence before anything is installed
 * @throws PrerequisiteError with the exact install command when it cannot be installed from here
 */
export async function ensureJavaAndMaven(say: (sentence: string) => void): Promise<Java> {
  const missing = [
    (await findJava()) === undefined ? 'java' : undefined,
    which('mvn') === undefined ? 'maven' : undefined,
  ].filter((name): name is 'java' | 'maven' => name !== undefined);
  if (missing.length > 0) await install(missing, say);
  const java = await findJava();
  if (java === undefined) throw missingError(['java']);
  if (which('mvn') === undefined) throw missingError(['maven']);
  return java;
}

/** JAVA_HOME first, as Maven does, then PATH; a Java outside the supported versions counts as none. */
export async function findJava(): Promise<Java | undefined> {
  const home = systemEnvironment()['JAVA_HOME'];
  const candidates = [home === undefined ? undefined : join(home, 'bin', 'java'), which('java')];
  for (const command of candidates) {
    if (command === undefined || !existsSync(command)) continue;
    // macOS has a `java` that only says that there is none.
    const printed = await run(command, ['-version']).catch(() => '');
    const version = Number(/version "(\d+)/.exec(printed)?.[1]);
    if (version >= JAVA_VERSIONS.least && version <= JAVA_VERSIONS.most) return { command, version };
  }
  return undefined;
}

async function install(
  missing: readonly ('java' | 'maven')[],
  say: (sentence: string) => void,
): Promise<void> {
  const privilege = await installPrivilege();
  if (privilege === undefined) throw missingError(missing);
  const packages = missing.map((name) => (name === 'java' ? 'openjdk-17-jre-headless' : 'maven'));
  say(
    `Installing ${packages.join(' and ')} with apt-get, because ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing.`,
  );
  // sudo drops variables, so the one that keeps apt from asking is set behind it.
  const prefix = [...privilege, '/usr/bin/env', 'DEBIAN_FRONTEND=noninteractive'];
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    const [command, ...rest] = [...prefix, 'apt-get', ...args] as [string, ...string[]];
    await run(command, rest);
  }
}

/** What stands before a command that installs: nothing for root, sudo where it asks no password; undefined where neither can. */
async function installPrivilege(): Promise<readonly string[] | undefined> {
  if (which('apt-get') === undefined) return undefined;
  if (process.getuid?.() === 0) return [];
  if (which('sudo') === undefined) return undefined;
  return run('sudo', ['-n', 'true']).then(
    () => ['sudo', '-n'],
    () => undefined,
  );
}

export interface JavaAndMaven {
  readonly java: Java | undefined;
  readonly maven: string | undefined;
  /** Whether a start would install what is missing. */
  readonly isInstallable: boolean;
  /** The command that installs what is missing. */
  readonly remedy: string;
}

/** Looks, and installs nothing. */
export async function inspectJavaAndMaven(): Promise<JavaAndMaven> {
  const java = await findJava();
  const maven = which('mvn');
  const missing = [java === undefined ? 'java' : undefined, maven === undefined ? 'maven' : undefined];
  return {
    java,
    maven,
    isInstallable: (await installPrivilege()) !== undefined,
    remedy: installLine(missing.filter((name): name is 'java' | 'maven' => name !== undefined)),
  };
}

function missingError(missing: readonly ('java' | 'maven')[]): PrerequisiteError {
  const wanted = missing.map((name) =>
    name === 'java' ? `Java ${JAVA_VERSIONS.least} to ${JAVA_VERSIONS.most}` : 'Maven',
  );
  return new PrerequisiteError(
    `${wanted.join(' and ')} ${wanted.length > 1 ? 'are' : 'is'} not on this machine.`,
    `Install with: ${installLine(missing)}`,
  );
}

/** The line for the package manager that is here; Debian's when none is known. */
function installLine(missing: readonly ('java' | 'maven')[]): string {
  const managers = [
    { command: 'brew', line: 'brew install', java: 'openjdk@21', maven: 'maven' },
    { command: 'dnf', line: 'sudo dnf install -y', java: 'java-21-openjdk-headless', maven: 'maven' },
    { command: 'pacman', line: 'sudo pacman -S --noconfirm', java: 'jre21-openjdk-headless', maven: 'maven' },
    { command: 'zypper', line: 'sudo zypper install -y', java: 'java-21-openjdk-headless', maven: 'maven' },
  ];
  const debian = {
    command: 'apt-get',
    line: 'sudo apt-get install -y',
    java: 'openjdk-17-jre-headless',
    maven: 'maven',
  };
  const manager = managers.find(({ command }) => which(command) !== undefined) ?? debian;
  return `${manager.line} ${missing.map((name) => manager[name]).join(' ')}`;
}
