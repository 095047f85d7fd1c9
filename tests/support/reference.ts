/** Writes the reference pages from what they are about: commander's own commands, the schema of the environment, the codes in the sources. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Argument, Command, Option } from 'commander';
import {
  describeVariable,
  environmentSchema,
  type VariableName,
  variableNames,
} from '../../config/environment.ts';
import { projectRoot } from '../../config/load.ts';

/** What stands between this line and the next comment of its kind is written by the command that it names. */
const begin = (script: string): string => `<!-- written by npm run ${script} -->\n`;
const END = '<!-- end -->\n';

/** The page with its generated part replaced. */
export function withGenerated(page: string, generated: string, script = 'docs:reference'): string {
  const [head, rest] = page.split(begin(script));
  const [, tail] = rest?.split(END) ?? [];
  if (head === undefined || tail === undefined) throw new Error(`the page has no part that ${script} writes`);
  return `${head}${begin(script)}\n${generated}\n\n${END}${tail}`;
}

export interface NamedCommand {
  /** `hourglass job show` */
  readonly path: string;
  readonly command: Command;
}

/** Every command that does something itself. */
export function leafCommands(command: Command, before = ''): readonly NamedCommand[] {
  const path = `${before} ${command.name()}`.trim();
  if (command.commands.length === 0) return [{ path, command }];
  return command.commands.flatMap((child) => leafCommands(child, path));
}

export function commandReference(program: Command): string {
  return leafCommands(program)
    .map(({ path, command }) => {
      const rows = [
        ...command.registeredArguments.map(argumentRow),
        ...command.options.filter(({ hidden }) => !hidden).map(optionRow),
      ];
      const signature = [path, ...command.registeredArguments.map(argumentText)].join(' ');
      return [
        `### ${path}`,
        '',
        `\`${signature}\`: ${sentence(command.description())}`,
        ...(rows.length === 0 ? [] : ['', '| argument or option | what |', '|---|---|', ...rows]),
      ].join('\n');
    })
    .join('\n\n');
}

const argumentText = (argument: Argument): string => {
  const name = `${argument.name()}${argument.variadic ? '…' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

const argumentRow = (argument: Argument): string =>
  row(argumentText(argument), argument.description, argument.argChoices, argument.defaultValue);

const optionRow = (option: Option): string =>
  row(option.flags, option.description, option.argChoices, option.negate ? undefined : option.defaultValue);

/** A long list of choices is one that is written elsewhere. */
function row(
  flags: string,
  about: string,
  choices: readonly string[] | undefined,
  fallback: unknown,
): string {
  const told = [
    about,
    ...(choices !== undefined && choices.length <= 10
      ? [`one of ${choices.map((choice) => `\`${choice}\``).join(', ')}`]
      : []),
    ...(fallback === undefined || fallback === false ? [] : [`default \`${String(fallback)}\``]),
  ];
  return `| \`${flags}\` | ${told.join('; ').replaceAll('|', '\\|')} |`;
}

const sentence = (text: string): string => `${text.replace(/\.$/, '')}.`.replaceAll('|', '\\|');

export function configurationReference(): string {
  const shown = groups();
  return shown
    .map(({ heading, names }) =>
      [
        `### ${heading}`,
        '',
        '| variable | default | what |',
        '|---|---|---|',
        ...names.map(variableRow),
      ].join('\n'),
    )
    .join('\n\n');
}

function variableRow(name: VariableName): string {
  const { about, secret } = describeVariable(name);
  const fallback = environmentSchema.parse({})[name];
  const shown = fallback === undefined ? '' : `\`${String(fallback)}\``;
  return `| \`${name}\` | ${shown} | ${about}${secret ? ' Secret.' : ''} |`;
}

/** As example.env groups them; what it does not have, because only the stack sets it, is left out. */
function groups(): readonly { heading: string; names: readonly VariableName[] }[] {
  const text = readFileSync(join(projectRoot, 'example.env'), 'utf8');
  return [...text.matchAll(/^# --- (.+) ---$([\s\S]*?)(?=^# --- |(?![\s\S]))/gm)].map(
    ([, heading = '', part = '']) => {
      const assigned = [...part.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name);
      return { heading, names: variableNames.filter((name) => assigned.includes(name)) };
    },
  );
}

const CODE_FOLDERS = [
  'activities',
  'cli',
  'clients',
  'config',
  'domain',
  'mock',
  'pipelines',
  'schemas',
  'stack',
  'workers',
  'workflows',
];

/** Every code that an error of ours, or a failure of a workflow, is made with. */
export function errorCodesInSources(): readonly string[] {
  const files = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', ...CODE_FOLDERS],
    {
      cwd: projectRoot,
      encoding: 'utf8',
    },
  )
    .trim()
    .split('\n')
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const patterns = [
    /(?:super|new \w+Error)\(\s*(?:\{\s*code: )?'([A-Z][A-Z_]+)'/g,
    /ApplicationFailure\.nonRetryable\([^;]*?'([A-Z][A-Z_]+)'/g,
  ];
  const codes = files.flatMap((file) => {
    const text = readFileSync(join(projectRoot, file), 'utf8');
    return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code = '']) => code));
  });
  return [...new Set(codes)].sort();
}

/** The first column of every table of a page, as far as it is code. */
export const firstColumn = (page: string): readonly string[] =>
  [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
