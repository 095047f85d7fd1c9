/** Examines the programs that a start needs: Node.js, Java and Maven, Temporal, PostgreSQL; installs and downloads nothing. */
import { arch, platform } from 'node:os';
import type { Config } from '../../config/load.ts';
import { reasonOf } from '../../domain/errors.ts';
import { isNative } from '../context.ts';
import { inspectJavaAndMaven, type JavaAndMaven } from '../provision/java.ts';
import { findPostgresPackage } from '../provision/postgres.ts';
import { inspectTemporal, type TemporalInspection } from '../provision/temporal.ts';
import { type Check, failed, ok, warning } from './check.ts';

/** Major versions with the least minor of each; any later major will do. The same as `engines` of package.json. */
const NODE = { minors: { 20: 19, 22: 12 } as Readonly<Record<number, number>>, anyFrom: 24 } as const;

/** @param version as `process.versions.node` has it */
export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const least = NODE.minors[major];
  const isSupported = major >= NODE.anyFrom || (least !== undefined && minor >= least);
  return isSupported
    ? ok('Node.js', version)
    : failed(
        'Node.js',
        `${version} is not one that is supported`,
        'Install Node.js 20.19 or later, 22.12 or later, or 24 and later: https://nodejs.org/en/download',
      );
}

export function systemCheck(system: string, processor: string): Check {
  const name = 'System';
  if (system === 'linux' && processor === 'x64') return ok(name, `${system}, ${processor}`);
  if (system === 'linux' || system === 'darwin')
    return warning(
      name,
      `${system}, ${processor}: it should work, and was not tried`,
      'If something does not work, Linux on x64 does.',
    );
  return failed(
    name,
    `${system}, ${processor} is not supported`,
    'On Windows use WSL2; elsewhere a machine with Linux or macOS.',
  );
}

export function javaChecks({ java, maven, isInstallable, remedy }: JavaAndMaven): readonly Check[] {
  const missing = (name: string, what: string): Check =>
    isInstallable
      ? warning(name, `${what}; the start installs it`, `Nothing, or beforehand: ${remedy}`)
      : failed(name, what, `Install it with: ${remedy}`);
  return [
    java === undefined
      ? missing('Java', 'no Java 17 to 21 on JAVA_HOME or PATH')
      : ok('Java', `${java.version} at ${java.command}`),
    maven === undefined ? missing('Maven', 'no mvn on PATH') : ok('Maven', maven),
  ];
}

export function temporalCheck({ how, standing }: TemporalInspection): Check {
  if (standing === 'ready') return ok('Temporal', how);
  if (standing === 'to_come') return warning('Temporal', how, 'Nothing: the start sees to it.');
  return warning(
    'Temporal',
    how,
    'If the internet cannot be reached: install the Temporal CLI (https://docs.temporal.io/cli) or Go (https://go.dev/dl), or set TEMPORAL_ADDRESS to a server of yours.',
  );
}

async function postgresCheck(): Promise<Check> {
  try {
    const { version } = await findPostgresPackage();
    return ok('PostgreSQL', `${version}, from npm`);
  } catch (error) {
    return failed(
      'PostgreSQL',
      reasonOf(error),
      'Run `npm ci` again without --omit=optional, or set POSTGRES_HOST to a PostgreSQL of yours.',
    );
  }
}

/** Those that this machine is to run itself: of services that somebody else runs, a start provisions nothing. */
export async function programChecks(config: Config): Promise<readonly Check[]> {
  const { cacheDir, values } = config;
  const needsJava = isNative(config, 'KAFKA_BROKERS') || isNative(config, 'FLINK_REST_URL');
  return [
    systemCheck(platform(), arch()),
    nodeCheck(process.versions.node),
    ...(needsJava ? javaChecks(await inspectJavaAndMaven()) : []),
    ...(isNative(config, 'TEMPORAL_ADDRESS')
      ? [temporalCheck(await inspectTemporal(cacheDir, values.TEMPORAL_MIN_SERVER_VERSION))]
      : []),
    ...(isNative(config, 'POSTGRES_HOST') ? [await postgresCheck()] : []),
  ];
}
