/** The prompt of `hourglass sql`: reads statements, each up to its semicolon, and goes on after a mistake. */
import { createInterface } from 'node:readline/promises';
import { exampleNames, readExample } from '../../clients/sql-files.ts';
import { HourglassError } from '../../domain/errors.ts';
import { savedQueriesText } from './saved.ts';

const HELP = `A statement ends with a semicolon. \\s lists the saved queries, \\s NAME asks one, \\q or Ctrl-D ends.`;

export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Ends with the input. @param put asks one statement and shows the answer; what it throws is told, and the next is asked */
export async function promptForQuestions(
  put: (question: string) => Promise<unknown>,
  { input, output }: Terminal = { input: process.stdin, output: process.stdout },
): Promise<void> {
  const lines = createInterface({ input, output, prompt: 'hourglass> ' });
  const say = (text: string): void => void output.write(`${text}\n`);
  // Ctrl-C takes back what was typed, as in every other prompt of this kind; what is asked has its time limit.
  let typed = '';
  lines.on('SIGINT', () => {
    typed = '';
    output.write('\n');
    lines.setPrompt('hourglass> ');
    lines.prompt();
  });
  say(HELP);
  lines.prompt();
  for await (const line of lines) {
    if (typed === '' && line.trim() === '\\q') break;
    const step = typed === '' ? commandOf(line.trim()) : undefined;
    if (step?.text !== undefined) say(step.text);
    else {
      typed += `${line}\n`;
      const question = step?.question ?? (/;\s*$/.test(typed) ? typed : undefined);
      if (typed.trim() === '') typed = '';
      if (question !== undefined) {
        typed = '';
        await put(question).catch((error) => say(toldOf(error)));
      }
    }
    lines.setPrompt(typed === '' ? 'hourglass> ' : '        -> ');
    lines.prompt();
  }
  lines.close();
}

/** What a line that begins with a backslash wants: a text to be shown, or a question to be put. */
function commandOf(line: string): { readonly text?: string; readonly question?: string } | undefined {
  if (!line.startsWith('\\')) return undefined;
  const [command, name] = line.split(/\s+/);
  if (command !== '\\s') return { text: HELP };
  if (name === undefined) return { text: savedQueriesText('table') };
  return exampleNames().includes(name)
    ? { question: readExample(name) }
    : { text: `There is no saved query "${name}"; there are: ${exampleNames().join(', ')}.` };
}

/** A mistake of ours is no answer to a question, and ends the prompt as it ends every command. */
function toldOf(error: unknown): string {
  if (error instanceof HourglassError) return error.message;
  throw error;
}
