/** What each kind of documented command must bring about on a running stack, or which test runs it where it would change too much. */

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** What a documented example names and every stack has otherwise. */
export interface Facts {
  /** An hour that is over and that its city has, and the hour after it: `2026-01-31T12`. */
  readonly hour: string;
  readonly nextHour: string;
}

export type Effect =
  /** Run as it stands, or with what this stack has for what the example names. */
  | {
      readonly kind: 'run';
      readonly adapt?: (command: string, facts: Facts) => string;
      readonly check: (outcome: Outcome, facts: Facts) => boolean;
    }
  /** It changes what other tests rely on, or takes minutes: this file runs it, and holds these words. */
  | { readonly kind: 'elsewhere'; readonly file: string; readonly words: string };

const says =
  (...parts: readonly (string | RegExp)[]) =>
  ({ code, stdout }: Outcome): boolean =>
    code === 0 &&
    parts.every((part) => (typeof part === 'string' ? stdout.includes(part) : part.test(stdout)));

const run = (
  check: (outcome: Outcome, facts: Facts) => boolean,
  adapt?: (command: string, facts: Facts) => string,
): Effect => (adapt === undefined ? { kind: 'run', check } : { kind: 'run', check, adapt });

const elsewhere = (file: string, words: string): Effect => ({ kind: 'elsewhere', file, words });

/** It changes a stack: somebody who has one alone types it, as it stands, and looks what it has brought about. */
const firstHours = elsewhere(
  'tests/chaos/first-hours.test.ts',
  'no command that only this file runs was left out',
);
/** The guide is followed to the letter there. */
const ownPipeline = elsewhere('tests/chaos/added-pipelines.test.ts', 'guide.commands');

const verbs = (noun: string, names: readonly string[]): readonly (readonly [RegExp, Effect])[] =>
  names.map((name) => [new RegExp(`^npx hourglass ${noun} ${name}\\b`), firstHours]);

/** A plan for hours that this stack has, whatever was asked for. */
const recentRange = (command: string, { hour, nextHour }: Facts): string =>
  command.replace(/--from \S+/, `--from ${hour}`).replace(/--to \S+/, `--to ${nextHour}`);

const planned = ({ code, stdout, stderr }: Outcome): boolean =>
  // An hour that is complete already needs no plan, and that is said.
  (code === 0 && /^Plan\s+weather-/m.test(stdout)) || (code === 1 && /is to be loaded/.test(stdout + stderr));

/** The first that fits counts. */
export const effects: readonly (readonly [RegExp, Effect])[] = [
  // Of pipelines that a start runs when it is told to.
  [/\bmachine-(stream|load)\b|^npx hourglass (up|schedules diff)/, ownPipeline],
  [/\bair-(stream|pollution)\b/, firstHours],
  [/^npm ci && npm start$/, firstHours],
  [/^npm ci && npm test$|^npm (ci|start|test)$/, elsewhere('.ci/run', 'npm test')],
  [
    /^npm run [\w:]+( domain)?$|^npx vitest /,
    elsewhere('tests/documentation.test.ts', 'scripts of the package'),
  ],
  [/^[A-Z_]+=\S*$/, elsewhere('config/environment.test.ts', 'example.env')],
  [/^set -euo pipefail/, elsewhere('tests/integration/producers.test.ts', "codeBlock('bash')")],
  [/^PGPASSWORD=.*\bpsql\b[\s\S]*count/, run(says(/^\s*count/m, /^\s*[1-9]\d*\s*$/m))],
  [/^PGPASSWORD=.*\bpsql\b/, run(says('city_id', 'window_start', 'observation_count', /\(\d+ rows?\)/))],

  [/^npx hourglass status/, run(says('The stack is ready', 'weather-stream', 'Newest observation'))],
  [/^npx hourglass doctor/, run(says('Node.js', 'A start will work'))],
  [/^npx hourglass logs$/, run(says('kafka', 'flink-taskmanager', 'postgres'))],
  [
    /^npx hourglass logs worker/,
    run(({ code, stdout }) => code === 0 && stdout.trimEnd().split('\n').length <= 20),
  ],
  [/^npx hourglass reset$/, run(({ code, stderr }) => code === 1 && stderr.includes('a stack runs on'))],
  [/^npx hourglass down\b/, firstHours],
  [/^npx hourglass config list/, run(says('KAFKA_BROKERS', 'POSTGRES_PASSWORD', '********'))],
  [/^npx hourglass config get KAFKA_PORT/, run(says(/^\d+\n$/))],
  [/^npx hourglass weather /, run(says(/^Oslo, NO/, 'Hours in Europe/Oslo'))],
  [/^npx hourglass sql$/, run(says('unnested-conditions', 'hourly-weather'))],
  [
    /^npx hourglass sql --saved unnested-conditions --csv/,
    run(says(/^city,observed_at,position,/, /\n.+,1,\d+,/)),
  ],
  [/^npx hourglass sql --saved unnested-conditions/, run(says(/city +observed_at/, /\d+ rows/))],
  [/^npx hourglass sql --saved hourly-weather/, run(says(/city +window_start/, /\d+ rows/))],
  [/^npx hourglass sql "select name, country/, run(says(/^name +country/, '5 rows'))],
  [/^npx hourglass kafka topics/, run(says('weather.observations.v1', 'weather.dead-letters.v1'))],
  [
    /^npx hourglass kafka tail live --limit 3/,
    run(({ code, stdout }) => code === 0 && stdout.trim().split('\n').length === 3),
  ],
  [
    /^npx hourglass kafka lag/,
    run(says('weather.observations.v1', /All that was published is read|were not read/)),
  ],

  [/^npx hourglass job list --json/, run(({ stdout }) => JSON.parse(stdout)[0].name === 'weather-stream')],
  [/^npx hourglass job list/, run(says('weather-stream', 'running'))],
  [
    /^npx hourglass job show nobody/,
    run(({ code, stderr }) => code === 1 && stderr.includes('no Flink job "nobody"')),
  ],
  [/^npx hourglass job show /, run(says('weather-stream is', 'Desired', 'In Flink'))],
  [/^npx hourglass job history /, run(says('becameStable', /^When \(UTC\)/))],
  [/^npx hourglass job deploy weather-stream$/, run(says('Nothing to do: version'))],
  ...verbs('job', ['deploy', 'rescale', 'rollback', 'suspend', 'resume', 'restart', 'stop']),
  ...verbs('job', ['savepoint', 'savepoints', 'exceptions']),

  [
    /^npx hourglass completeness show/,
    run(says(/^(Completeness of weather|No window of .* was judged)/), recentRange),
  ],
  [
    /^npx hourglass completeness explain /,
    run(
      ({ code, stdout, stderr }) =>
        (code === 0 && /^Verdict/m.test(stdout)) || (code === 1 && stderr.includes('was never judged')),
      (command, { hour }) => command.replace(/\d{4}-\S+/, hour),
    ),
  ],
  [/^npx hourglass completeness check/, firstHours],
  [/^npx hourglass (completeness )?audit/, run(says(/No hour differs|What differs/), recentRange)],
  [/^npx hourglass tour/, firstHours],

  [/^npx hourglass workers status/, run(says('current'))],
  [/^npx hourglass workers versions/, run(says('current'))],
  ...verbs('workers', ['deploy', 'rollback', 'drain', 'run']),

  [/^npx hourglass backfill plan/, run(planned, recentRange)],
  [/^npx hourglass backfill list/, run(says(/^(Backfill|There )/))],
  ...verbs('backfill', ['start', 'show', 'pause', 'resume', 'cancel']),

  [/^npx hourglass dead-letters list/, run(says(/^(Topic|There are no (such )?dead letters)/))],
  ...verbs('dead-letters', ['show', 'replay']),

  [/^npx hourglass locations list/, run(says('Oslo', 'active', /\d+ locations$/m))],
  ...verbs('locations', ['add', 'import', 'deactivate']),
  [/^npx hourglass mock|^curl .*\/faults/, firstHours],
  [/^curl -X POST .*127\.0\.0\.1:8099/, elsewhere('tests/integration/documentation.test.ts', '8099')],
];
