import { describe, expect, test } from 'vitest';
import type { ProgressEvent } from '../stack/progress.ts';
import { createProgressView } from './progress-view.ts';

/** A stream that is no terminal, such as a file or the log of a CI run. */
function plainView() {
  let written = '';
  const write = (text: string): void => {
    written += text;
  };
  const stream = { isTTY: false, write };
  const view = createProgressView(stream as unknown as NodeJS.WriteStream);
  const report = (step: string, status: ProgressEvent['status'], text: string): void =>
    view.report({ at: '2026-01-01T00:00:00.000Z', step, status, text });
  return { view, report, written: () => written };
}

describe('progress without a terminal', () => {
  test('is a line when a step begins and one when it ends', () => {
    const { report, written } = plainView();
    report('Kafka', 'running', '');
    report('Flink', 'running', '');
    report('Kafka', 'done', '92 jars, 20.1 s');
    report('Flink', 'failed', 'no jars');
    expect(written()).toBe('Kafka …\nFlink …\nKafka: done, 92 jars, 20.1 s\nFlink: failed, no jars\n');
  });

  test('leaves out the details in between, of which there may be thousands', () => {
    const { report, written } = plainView();
    report('Kafka', 'running', '');
    for (const text of ['Downloading 1', 'Downloading 2']) report('Kafka', 'running', text);
    expect(written()).toBe('Kafka …\n');
  });

  test('has each note as a line, and the same one after another once', () => {
    const { report, written } = plainView();
    report('PostgreSQL', 'note', 'its data is kept elsewhere');
    report('PostgreSQL', 'note', 'its data is kept elsewhere');
    report('PostgreSQL', 'note', 'another');
    expect(written()).toBe('PostgreSQL: its data is kept elsewhere\nPostgreSQL: another\n');
  });

  test('has no colours and nothing that redraws', () => {
    const { view, report, written } = plainView();
    report('Kafka', 'running', '');
    report('Kafka', 'done', '1.0 s');
    view.close();
    expect(written()).toMatch(/^[\x20-\x7e…\n]*$/);
  });
});
