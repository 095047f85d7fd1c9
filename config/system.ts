/** What the native stack asks of the machine's own environment: where programs are, and what they need to run. */

/** The environment of this process, for programs that a provision runs as the user would: Maven, Go, apt. */
export const systemEnvironment = (): Readonly<Record<string, string | undefined>> => process.env;

const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'JAVA_HOME'] as const;

/** What a service inherits: what a program needs to run and nothing else, so that no key or password of a shell reaches it. */
export function serviceEnvironment(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
