import { describe, expect, test } from 'vitest';
import { hourglass, stack } from '../support/shared-stack.ts';

const MINUTE_MS = 60_000;

describe('the tour', () => {
  test('breaks nothing unless somebody says yes', async () => {
    const { code, stdout, stderr } = await hourglass(['tour']);
    expect(code).toBe(1);
    expect(stdout).toContain('This hour is going to be broken');
    expect(stderr).toContain('Nothing was broken');
  });

  test('breaks nothing of a source that is real', async () => {
    const environment = {
      ...{ HOURGLASS_DATA_DIR: stack.dataDir, WEATHER_SOURCE: 'openweathermap' },
      OPENWEATHERMAP_API_KEY: 'a-key',
    };
    expect(await hourglass(['tour', '--yes'], environment)).toMatchObject({ code: 1 });
  });

  test.each(['once', 'and once more'])(
    'breaks an hour that is found, explained and mended within two minutes, %s',
    async () => {
      const { code, stdout, stderr } = await hourglass(['tour', '--yes', '--json']);
      expect([code, stderr]).toEqual([0, expect.stringContaining('Mended after')]);
      const { seconds, verdicts, before, after } = JSON.parse(stdout);
      expect(seconds).toBeLessThan(120);
      expect(verdicts).toContain('mismatched');
      expect(after).toMatchObject({
        stored: before.stored,
        row: { observation_count: before.row.observation_count, temp_max: before.row.temp_max },
      });
    },
    6 * MINUTE_MS,
  );
});
