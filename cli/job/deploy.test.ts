import { expect, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { deploy } from './deploy.ts';

test('options that only a shadow upgrade knows are a wrong command line without --shadow', async () => {
  const sent = deploy('weather-stream', { timeout: 1, yes: true, acceptDifferences: ['temp_avg'] });
  await expect(sent).rejects.toThrow(UsageError);
  await expect(sent).rejects.toThrow('--yes and --accept-differences go with --shadow alone.');
});
