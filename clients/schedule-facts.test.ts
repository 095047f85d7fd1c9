import type { ScheduleDescription, ScheduleOptions } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { searchAttributes } from '../domain/search-attributes.ts';
import { declaredSchedules, isOurs } from './declared-schedules.ts';
import { scheduleFacts } from './schedule-facts.ts';

const declared = declaredSchedules({ pipelines: ['weather'], source: 'mock', shards: 2 });

/** What a server gave back for the schedule that makes partitions, without what it says of its life. */
const partitionsAsDescribed = {
  spec: {
    calendars: [
      {
        second: [{ start: 0, end: 0, step: 1 }],
        minute: [{ start: 30, end: 30, step: 1 }],
        hour: [{ start: 3, end: 3, step: 1 }],
        dayOfMonth: [{ start: 1, end: 31, step: 1 }],
        month: [{ start: 'JANUARY', end: 'DECEMBER', step: 1 }],
        year: [],
        dayOfWeek: [{ start: 'SUNDAY', end: 'SATURDAY', step: 1 }],
        comment: '',
      },
    ],
    intervals: [],
    skip: [],
    timezone: 'UTC',
  },
  policies: { overlap: 'SKIP', catchupWindow: 86_400_000, pauseOnFailure: false },
  action: {
    type: 'startWorkflow',
    workflowId: 'maintain-partitions',
    workflowType: 'maintainPartitions',
    taskQueue: 'control',
    args: [],
    typedSearchAttributes: new TypedSearchAttributes(),
    workflowRunTimeout: 3_600_000,
    workflowExecutionTimeout: 0,
    staticSummary: 'Make the partitions of the coming months',
  },
} as unknown as ScheduleDescription;

const factsOf = (id: string) => {
  const schedule = declared.find(({ scheduleId }) => scheduleId === id);
  return schedule === undefined ? expect.unreachable(`there is no ${id}`) : scheduleFacts(schedule);
};

describe('what a schedule does', () => {
  test('is the same text for a declaration and for what the server makes of it', () => {
    expect(scheduleFacts(partitionsAsDescribed)).toEqual(factsOf('maintain-partitions'));
  });

  test('reads like a sentence', () => {
    expect(factsOf('maintain-partitions')).toMatchObject({
      times: 'hour 3, minute 30',
      'catchup window': '1 d',
    });
    expect(factsOf('ingest/weather/mock/1')).toEqual({
      times: 'every 1 min',
      jitter: '2 s',
      overlap: 'SKIP',
      'catchup window': '1 min',
      workflow: 'ingestWeather',
      'workflow id': 'ingest/weather/mock/1',
      arguments: '[{"pipeline":"weather","source":"mock","shard":1,"shards":2}]',
      'task queue': 'control',
      'run timeout': '5 min',
      summary: 'Poll weather from mock, shard 2 of 2',
      'search attributes': 'HourglassPipeline "weather", HourglassSource "mock"',
    });
    expect(factsOf('account-for-records/weather')).toMatchObject({ times: 'every 1 min, 30 s after' });
  });

  test.each<[string, Partial<ScheduleOptions['spec']>, Record<string, string>]>([
    ['another interval', { intervals: [{ every: '90 seconds' }] }, { times: 'every 90 s' }],
    ['any hour', { calendars: [{ hour: '*', minute: 30 }] }, { times: 'any hour, minute 30' }],
    [
      'ranges',
      {
        calendars: [
          { dayOfWeek: { start: 'MONDAY', end: 'FRIDAY' }, hour: [{ start: 6, end: 18, step: 6 }] },
        ],
      },
      { times: 'dayOfWeek MONDAY-FRIDAY, hour 6-18/6' },
    ],
    [
      'days without it',
      { calendars: [{ hour: 3 }], skip: [{ dayOfMonth: 1 }] },
      { 'not at': 'dayOfMonth 1' },
    ],
    [
      'a time zone',
      { intervals: [{ every: 1 }], timezone: 'Europe/Oslo' },
      { 'time zone': 'Europe/Oslo', times: 'every 1 ms' },
    ],
  ])('tells %s', (_name, spec, expected) => {
    const action = { type: 'startWorkflow', workflowType: 'w', taskQueue: 'q' } as ScheduleOptions['action'];
    expect(scheduleFacts({ spec, action, policies: {} })).toMatchObject(expected);
  });

  test('search attributes are the same in any order', () => {
    const { action, ...rest } = declared[0] as ScheduleOptions;
    const pairs = [
      { key: searchAttributes.source, value: 'mock' },
      { key: searchAttributes.pipeline, value: 'weather' },
    ];
    expect(scheduleFacts({ ...rest, action: { ...action, typedSearchAttributes: pairs } })).toEqual(
      factsOf('ingest/weather/mock/0'),
    );
  });
});

describe('the declared schedules', () => {
  test('are one for each shard of each pipeline, three for each pipeline, and one for partitions', () => {
    const scope = { pipelines: ['weather', 'tides'], source: 'mock', shards: 2 };
    expect(declaredSchedules(scope).map(({ scheduleId }) => scheduleId)).toEqual([
      'ingest/weather/mock/0',
      'ingest/weather/mock/1',
      'ingest/tides/mock/0',
      'ingest/tides/mock/1',
      'account-for-records/weather',
      'account-for-records/tides',
      'completeness/weather',
      'completeness/tides',
      'watch-completeness/weather',
      'watch-completeness/tides',
      'maintain-partitions',
    ]);
  });

  test('each says what happens when runs overlap, how late one may be, and when one has failed', () => {
    for (const schedule of declared) {
      const facts = scheduleFacts(schedule);
      expect(facts['overlap']).toBe('SKIP');
      expect(schedule.policies?.catchupWindow).toBeDefined();
      expect(facts['run timeout']).toBeDefined();
    }
  });

  test('are recognised as ours, each of them', () => {
    for (const { scheduleId, action } of declared)
      expect(isOurs({ scheduleId, workflowType: String(action.workflowType) }, 'mock')).toBe(true);
  });

  test.each<[string, string | undefined, string]>([
    ['ingest/weather/openweathermap/0', 'ingestWeather', 'another source is another installation'],
    ['ingest/weather/mock/0', 'ingestEverything', 'it starts something else'],
    ['ingest/weather/mock/nightly', 'ingestWeather', 'the id is not of our form'],
    ['nightly', 'maintainPartitions', 'the id is not of our form'],
    ['account-for-records/weather', undefined, 'what it starts is not known'],
  ])('%s that starts %s is somebody else’s: %s', (scheduleId, workflowType) => {
    expect(isOurs({ scheduleId, workflowType }, 'mock')).toBe(false);
  });
});
