import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../config/load.ts';
import { devServerSettings } from './temporal.ts';

/** `name:` followed by `- value: …`: all that this file uses of YAML. */
function settingsOfFile(): Record<string, unknown> {
  const yaml = readFileSync(join(projectRoot, 'docker/temporal/dynamic-config.yaml'), 'utf8');
  const lines = yaml.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const entries: [string, unknown][] = [];
  while (lines.length > 0) {
    const [name, value] = lines.splice(0, 2);
    const [, key] = /^([\w.]+):$/.exec(name ?? '') ?? [];
    const [, text] = /^ {2}- value: (\S+)$/.exec(value ?? '') ?? [];
    if (key === undefined || text === undefined) throw new Error(`not understood: ${name}, ${value}`);
    entries.push([key, /^(true|false|\d+)$/.test(text) ? JSON.parse(text) : text]);
  }
  return Object.fromEntries(entries);
}

describe('the settings of the Temporal server', () => {
  test('are the same for the command-line tool, which takes no file, as in the file of the server', () => {
    const ofTool = Object.fromEntries(
      devServerSettings.map((setting) => {
        const at = setting.indexOf('=');
        return [setting.slice(0, at), JSON.parse(setting.slice(at + 1))];
      }),
    );
    expect(ofTool).toEqual(settingsOfFile());
  });

  test('let priorities and fairness work', () => {
    expect(settingsOfFile()).toMatchObject({
      'matching.enableFairness': true,
      'matching.numTaskqueueWritePartitions': 1,
    });
  });
});
