import { expect, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { deploy } from './deploy.ts';

test('options that only a shadow upgrade knows are a wrong command line without it', async () => {
  const sent = deploy('a-stream', { yes: true, acceptDifferences: ['all'], timeout: 60 });
  await expect(sent).rejects.toBeInstanceOf(UsageError);
  await expect(sent).rejects.toThrow('--yes and --accept-differences go with --shadow alone');
});
