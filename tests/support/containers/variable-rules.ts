/** Variables of the compose file: each is one of example.env, with the default of the schema, and no secret stands in the file. */
import {
  describeVariable,
  environmentSchema,
  type VariableName,
  variableNames,
} from '../../../config/environment.ts';
import { COMPOSE, composeOf, fileOf, type Texts } from './files.ts';

interface Use {
  readonly name: string;
  /** As in `${NAME:-fallback}`; undefined for `${NAME:?…}`. */
  readonly fallback: string | undefined;
}

export function variablesUsed(text: string): Use[] {
  return [...text.matchAll(/\$\{([A-Z_]+)(?:(:-)([^}]*)|:\?[^}]*)?\}/g)].map(
    ([, name = '', mark, fallback]) => ({
      name,
      fallback: mark === undefined ? undefined : (fallback ?? ''),
    }),
  );
}

/** What the native stack takes where the variable is not set, where that is not the schema's own default. */
const DEFAULTS_OF_THE_MOCK: Readonly<Record<string, string>> = { OPENWEATHERMAP_PLAN: 'developer' };

export function problemsOfVariables(texts: Texts): string[] {
  const defaults = environmentSchema.parse({});
  const assigned = [...fileOf(texts, 'example.env').matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map(
    (match) => match[1],
  );
  return variablesUsed(fileOf(texts, COMPOSE)).flatMap(({ name, fallback }) => {
    if (!assigned.includes(name)) return [`${name} is not in example.env`];
    const own = defaults[name as VariableName];
    const wanted = own === undefined ? DEFAULTS_OF_THE_MOCK[name] : String(own);
    if (fallback === undefined && wanted !== undefined)
      return [`${name} must be set, though it has a default`];
    if (fallback !== undefined && fallback !== (wanted ?? ''))
      return [`${name} falls back to "${fallback}", elsewhere to "${wanted ?? ''}"`];
    return [];
  });
}

/** What a secret may be in the file: nothing, or what a variable holds. */
export function problemsOfSecrets(texts: Texts): string[] {
  const secrets = variableNames.filter((name) => describeVariable(name).secret);
  return Object.entries(composeOf(texts).services).flatMap(
    ([service, { environment = {}, command = [] }]) => [
      ...Object.entries(environment)
        .filter(
          ([name, value]) => /PASSWORD|SECRET|API_KEY|password$/.test(name) && !/^(\$\{.*\})?$/.test(value),
        )
        .map(([name]) => `${service}: the secret ${name} stands in the file`),
      ...command
        .filter((part) => secrets.some((name) => part.includes(name)))
        .map((part) => `${service}: "${part}" shows a secret in the list of processes`),
    ],
  );
}

/** Who is told which password: nobody one that is not needed. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  postgres: ['POSTGRES_SUPERUSER_PASSWORD'],
  migrations: [
    'POSTGRES_SUPERUSER_PASSWORD',
    'POSTGRES_PASSWORD',
    'POSTGRES_PIPELINE_PASSWORD',
    'POSTGRES_READER_PASSWORD',
  ],
  workers: ['POSTGRES_PASSWORD', 'POSTGRES_READER_PASSWORD'],
  'flink-jobmanager': ['POSTGRES_PIPELINE_PASSWORD'],
  'flink-taskmanager': ['POSTGRES_PIPELINE_PASSWORD'],
  'flink-gateway': ['POSTGRES_PIPELINE_PASSWORD'],
  sqlpad: ['SQLPAD_ADMIN_PASSWORD', 'POSTGRES_READER_PASSWORD'],
};

export function problemsOfWhoIsTold(texts: Texts): string[] {
  return Object.entries(composeOf(texts).services).flatMap(
    ([service, { environment = {}, env_file = [] }]) => {
      const told = new Set(variablesUsed(JSON.stringify(environment)).map(({ name }) => name));
      const passwords = variableNames.filter((name) => name.endsWith('_PASSWORD'));
      // From the file of the user comes all that is not set to something else here.
      const fromFile = env_file.length === 0 ? [] : passwords.filter((name) => !(name in environment));
      const wanted = TOLD[service] ?? [];
      const known = passwords.filter((name) => told.has(name) || fromFile.includes(name));
      return [
        ...known.filter((name) => !wanted.includes(name)).map((name) => `${service}: it is told ${name}`),
        ...wanted.filter((name) => !told.has(name)).map((name) => `${service}: it is not told ${name}`),
      ];
    },
  );
}
