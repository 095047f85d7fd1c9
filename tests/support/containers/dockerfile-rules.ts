/** What every Dockerfile must be: several stages, pinned, without a secret, and in the end not root. */
import type { Texts } from './files.ts';

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** Comments go, continued lines become one. */
export function instructionsOf(dockerfile: string): Instruction[] {
  return dockerfile
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, word = '', rest = ''] = /^\s*(\S+)\s*(.*)$/.exec(line) ?? [];
      return { word: word.toUpperCase(), rest };
    });
}

type Rule = (instructions: readonly Instruction[]) => string[];

const all = (instructions: readonly Instruction[], ...words: string[]): readonly Instruction[] =>
  instructions.filter(({ word }) => words.includes(word));

const rules: readonly Rule[] = [
  (instructions) =>
    all(instructions, 'FROM')
      .filter(({ rest }) => !/^[\w./-]+:\d+\.\d+\.\d+[\w.-]*( AS [a-z]+)?$/.test(rest))
      .map(({ rest }) => `"FROM ${rest}" is not pinned to a version`),
  (instructions) => (all(instructions, 'FROM').length > 1 ? [] : ['what builds it is left in the image']),
  (instructions) => {
    const user = all(instructions, 'USER').at(-1)?.rest ?? 'root';
    return /^[1-9]\d*:[1-9]\d*$/.test(user)
      ? []
      : [`it ends as the user ${user}, not as one by number that is not root`];
  },
  (instructions) =>
    all(instructions, 'ARG', 'ENV')
      .filter(({ rest }) => /PASSWORD|SECRET|TOKEN|API_KEY/i.test(rest))
      .map(({ word, rest }) => `"${word} ${rest}" puts a secret into the image`),
  (instructions) => all(instructions, 'ADD').map(({ rest }) => `"ADD ${rest}" should be COPY`),
  (instructions) =>
    all(instructions, 'ENV').some(({ rest }) => /\bTZ=UTC\b/.test(rest)) ? [] : ['it is not in UTC'],
  (instructions) =>
    all(instructions, 'ENTRYPOINT').some(({ rest }) => rest.startsWith('["'))
      ? []
      : ['its entry point would not hear the signal to stop'],
  (instructions) =>
    all(instructions, 'RUN')
      .filter(({ rest }) => /apt-get install(?!.*--no-install-recommends)/.test(rest))
      .map(({ rest }) => `"RUN ${rest}" installs more than it names`),
];

export function problemsOfDockerfiles(texts: Texts): string[] {
  return Object.entries(texts)
    .filter(([path]) => path.endsWith('/Dockerfile'))
    .flatMap(([path, text]) => {
      const instructions = instructionsOf(text);
      return rules.flatMap((rule) => rule(instructions).map((problem) => `${path}: ${problem}`));
    });
}

/** Everything but what is let in stays outside the image: what is let in is the folders that the command line runs on. */
export function problemsOfContext(texts: Texts, folders: readonly string[]): string[] {
  const path = 'docker/hourglass/Dockerfile.dockerignore';
  const lines = (texts[path] ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const letIn = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const wanted = [...folders, 'sql', 'tests/histories', '.npmrc', 'package.json', 'package-lock.json'];
  return [
    ...(lines[0] === '*' ? [] : [`${path}: it does not begin with everything left out`]),
    ...wanted.filter((name) => !letIn.includes(name)).map((name) => `${path}: ${name} is left out`),
    ...letIn.filter((name) => !wanted.includes(name)).map((name) => `${path}: ${name} is let in`),
  ];
}
