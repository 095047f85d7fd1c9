/** `hourglass sql`: questions in SQL, saved or written, answered by the role that can only read; each part is in `cli/sql/`. */
import { readFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { type Answer, ask } from '../clients/reader.ts';
import { exampleNames, readExample } from '../clients/sql-files.ts';
import { readerAddress } from '../config/addresses.ts';
import { loadConfig } from '../config/load.ts';
import { HourglassError, reasonOf } from '../domain/errors.ts';
import { createOutput, type OutputFormat } from './sql/output.ts';
import { promptForQuestions } from './sql/prompt.ts';
import { savedQueriesText } from './sql/saved.ts';
import { UsageError } from './usage-error.ts';

const DEFAULT_TIMEOUT_S = 30;

export function sqlCommand(): Command {
  return new Command('sql')
    .description(
      'Ask the tables in SQL, reading alone; without a query, a prompt on a terminal, else the saved queries',
    )
    .addArgument(new Argument('[query]', 'one statement').argParser(statement))
    .addOption(
      new Option('--saved <name>', 'a saved query; without a query they are listed').choices(exampleNames()),
    )
    .addOption(new Option('--file <path>', 'a file with one statement').conflicts('saved'))
    .addOption(new Option('--csv', 'print as CSV').conflicts('json'))
    .option('--json', 'print as JSON')
    .addOption(
      new Option('--timeout <seconds>', 'how long the answer may take')
        .default(DEFAULT_TIMEOUT_S)
        .argParser(seconds),
    )
    .action(sql);
}

/** @throws InvalidArgumentError, which commander shows with the argument's name */
function statement(text: string): string {
  if (text.trim() === '')
    throw new InvalidArgumentError('Expected a statement, for example "select * from locations".');
  return text;
}

/** @throws InvalidArgumentError, which commander shows with the option's name */
function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < 0.01 || value > 3_600)
    throw new InvalidArgumentError('Expected seconds from 0.01 to 3600, for example 30.');
  return value;
}

interface SqlOptions {
  readonly saved?: string;
  readonly file?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
  readonly timeout: number;
}

/** Thrown when the file that holds the question cannot be read. */
class QuestionFileError extends HourglassError {
  constructor(file: string, cause: unknown) {
    super('QUESTION_FILE', `The file ${file} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
}

/** Thrown when a query is given and named at once. */
class QuestionTwiceError extends UsageError {
  constructor() {
    super('QUESTION_TWICE', 'Give one question: a query, --saved or --file.');
  }
}

async function sql(query: string | undefined, options: SqlOptions): Promise<void> {
  const format: OutputFormat = options.json ? 'json' : options.csv ? 'csv' : 'table';
  const question = questionOf(query, options);
  const put = (text: string): Promise<Answer> => answerTo(text, format, options.timeout);
  if (question !== undefined) await put(question);
  else if (process.stdin.isTTY && process.stdout.isTTY && format === 'table') await promptForQuestions(put);
  else console.log(savedQueriesText(format, process.stdout.columns || undefined));
}

/** @throws QuestionFileError, QuestionTwiceError */
function questionOf(query: string | undefined, { saved, file }: SqlOptions): string | undefined {
  if (query !== undefined && (saved ?? file) !== undefined) throw new QuestionTwiceError();
  if (saved !== undefined) return readExample(saved);
  if (file === undefined) return query;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new QuestionFileError(file, error);
  }
}

/** Reads the address anew for each question: between two of them the stack may have been started again. */
async function answerTo(question: string, format: OutputFormat, timeout: number): Promise<Answer> {
  // A terminal of no width does not tell.
  const columns = process.stdout.isTTY ? process.stdout.columns || undefined : undefined;
  const output = createOutput(format, (text) => process.stdout.write(text), columns);
  const answer = await ask(readerAddress(loadConfig()), question, timeout, output.row);
  output.end(answer);
  return answer;
}
