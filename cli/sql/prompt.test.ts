import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { HourglassError } from '../../domain/errors.ts';
import { promptForQuestions } from './prompt.ts';

/** What was asked, and what was shown, when these lines are typed. */
async function typed(lines: readonly string[], refuse: (question: string) => boolean = () => false) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const asked: string[] = [];
  let shown = '';
  output.on('data', (chunk) => {
    shown += String(chunk);
  });
  input.end(`${lines.join('\n')}\n`);
  await promptForQuestions(
    async (question) => {
      asked.push(question);
      if (refuse(question)) throw new HourglassError('REFUSED', `no answer to ${question.trim()}`);
    },
    { input, output },
  );
  return { asked, shown };
}

describe('the prompt', () => {
  test('asks a statement when its semicolon is typed, however many lines it has', async () => {
    const { asked, shown } = await typed(['select 1', 'from locations;', '', 'select 2;']);
    expect(asked).toEqual(['select 1\nfrom locations;\n', 'select 2;\n']);
    expect(shown).toContain('-> ');
  });

  test('tells a mistake and goes on', async () => {
    const { asked, shown } = await typed(['selec;', 'select 2;'], (question) =>
      question.startsWith('selec;'),
    );
    expect(asked).toHaveLength(2);
    expect(shown).toContain('no answer to selec;');
  });

  test('lists the saved queries, asks one by its name, and knows which there are', async () => {
    const { asked, shown } = await typed(['\\s', '\\s hourly-weather', '\\s nothing', '\\?']);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('from weather_hourly');
    expect(shown).toContain('unnested-conditions');
    expect(shown).toContain('There is no saved query "nothing"');
  });

  test('ends with \\q', async () => {
    expect((await typed(['\\q', 'select 1;'])).asked).toEqual([]);
  });
});
