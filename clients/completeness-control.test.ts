import type { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { completenessInputSchema } from '../schemas/completeness.ts';
import {
  CheckNotAnsweringError,
  type CheckRequest,
  checkByHandId,
  startCheck,
} from './completeness-control.ts';

const request: CheckRequest = { pipeline: 'weather', source: 'mock', shards: 1 };
const range = { from: '2026-01-30T00:00:00.000Z', to: '2026-01-31T00:00:00.000Z' };

describe('a check by hand', () => {
  test('is known by what it judges', () => {
    expect(checkByHandId(request)).toBe('completeness/weather-by-hand-latest');
    expect(checkByHandId({ ...request, ...range })).toBe(
      'completeness/weather-by-hand-20260130T00-20260131T00',
    );
    expect(checkByHandId({ ...request, ...range, repair: false })).toMatch(/T00-without-repair$/);
    const of = (entities: readonly number[]) =>
      checkByHandId({ ...request, ...range, entities: [...entities] });
    expect(of([1, 2])).toMatch(/T00-[0-9a-f]{12}$/);
    expect(of([1, 2])).not.toBe(of([12]));
  });

  test('asks for what the workflow takes', () => {
    const given = { ...request, ...range, entities: [2, 1], repair: false };
    expect(completenessInputSchema.parse(given)).toMatchObject({ repair: false, entities: [1, 2] });
  });

  test('attaches to the one that judges the same, and says when no worker answers', async () => {
    const started: unknown[] = [];
    const handle = {
      workflowId: 'completeness/weather-by-hand-latest',
      query: () => Promise.reject(Object.assign(new Error('too late'), { code: 4 })),
    };
    const client = {
      workflow: {
        start: async (type: string, options: object) => {
          started.push({ type, ...options });
          return handle;
        },
      },
      withDeadline: (_: number, work: () => Promise<unknown>) => work(),
    } as unknown as Client;
    const run = await startCheck(client, request);
    expect(started).toMatchObject([
      {
        ...{ type: 'checkCompleteness', workflowId: run.workflowId, args: [request] },
        workflowIdConflictPolicy: 'USE_EXISTING',
      },
    ]);
    await expect(run.answers()).rejects.toBeInstanceOf(CheckNotAnsweringError);
  });
});
