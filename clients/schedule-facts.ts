/**
 * Reads what a schedule does as texts that can be compared and shown, whether it is declared or described by the server: the
 * server gives durations in milliseconds, calendars as ranges, and a value for every default.
 */
import {
  type CalendarSpec,
  type ScheduleDescription,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
  type ScheduleSpec,
  type ScheduleSpecDescription,
} from '@temporalio/client';
import type { Duration, SearchAttributePair, TypedSearchAttributes } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time.js';
import type { ScheduleFacts } from '../domain/schedule-differences.ts';

/** What the server takes when a schedule leaves it open. */
const serverDefaults = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '365 days' } as const;

export function scheduleFacts({
  spec,
  policies,
  action,
}: Pick<ScheduleOptions | ScheduleDescription, 'spec' | 'policies' | 'action'>): ScheduleFacts {
  const facts: Readonly<Record<string, string | undefined>> = {
    ...specFacts(spec),
    overlap: policies?.overlap ?? serverDefaults.overlap,
    'catchup window': durationText(policies?.catchupWindow ?? serverDefaults.catchupWindow),
    'pause on failure': policies?.pauseOnFailure ? 'yes' : undefined,
    workflow: String(action.workflowType),
    'workflow id': action.workflowId,
    arguments: JSON.stringify(action.args ?? []),
    'task queue': action.taskQueue,
    'execution timeout': optionalDuration(action.workflowExecutionTimeout),
    'run timeout': optionalDuration(action.workflowRunTimeout),
    'task timeout': optionalDuration(action.workflowTaskTimeout),
    retry: action.retry === undefined ? undefined : JSON.stringify(action.retry),
    summary: action.staticSummary,
    'search attributes': attributesText(action.typedSearchAttributes),
  };
  return Object.fromEntries(
    Object.entries(facts).filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== ''),
  );
}

function specFacts(spec: ScheduleSpec | ScheduleSpecDescription): Record<string, string | undefined> {
  const intervals = (spec.intervals ?? []).map(({ every, offset }) => {
    const start = durationText(offset ?? 0);
    return `every ${durationText(every)}${start === durationText(0) ? '' : `, ${start} after`}`;
  });
  const list = (texts: readonly string[]): string => [...texts].sort().join(' and ');
  return {
    times: list([...intervals, ...(spec.calendars ?? []).map(calendarText)]),
    'not at': list((spec.skip ?? []).map(calendarText)),
    from: spec.startAt?.toISOString(),
    until: spec.endAt?.toISOString(),
    jitter: optionalDuration(spec.jitter),
    // UTC is what the server takes when none is named.
    'time zone': spec.timezone === 'UTC' ? undefined : spec.timezone,
  };
}

const fields = ['year', 'month', 'dayOfMonth', 'dayOfWeek', 'hour', 'minute', 'second'] as const;

/** The ranges that mean "any", as the server gives them back; a field that is left out means this, or 0 for times of the day. */
const anyTime: Readonly<Record<(typeof fields)[number], string>> = {
  year: '',
  month: 'JANUARY-DECEMBER',
  dayOfMonth: '1-31',
  dayOfWeek: 'SUNDAY-SATURDAY',
  hour: '0-23',
  minute: '0-59',
  second: '0-59',
};
const timesOfDay: readonly string[] = ['hour', 'minute', 'second'];

/** `hour 3, minute 30`: every day at 03:30:00. */
function calendarText(calendar: CalendarSpec): string {
  return fields
    .flatMap((field) => {
      const ranges = rangesText(calendar[field]);
      const given =
        ranges === '*' || (ranges === '' && !timesOfDay.includes(field)) ? anyTime[field] : ranges;
      if (given === anyTime[field]) return timesOfDay.includes(field) ? [`any ${field}`] : [];
      return given === '' || given === '0' ? [] : [`${field} ${given}`];
    })
    .join(', ');
}

interface Range {
  readonly start: string | number;
  readonly end?: string | number;
  readonly step?: number;
}

function rangesText(value: unknown): string {
  if (value === undefined) return '';
  const ranges = (Array.isArray(value) ? value : [value]) as readonly (string | number | Range)[];
  return ranges
    .map((range) => {
      if (typeof range !== 'object') return String(range);
      const { start, end = start, step = 1 } = range;
      return `${start}${end === start ? '' : `-${end}`}${step === 1 ? '' : `/${step}`}`;
    })
    .join(' ');
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** In the largest unit that leaves no rest: two durations have the same text only when they are the same. */
function durationText(duration: Duration): string {
  const ms = msToNumber(duration);
  const unit = units.find(([, size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${ms} ms` : `${ms / unit[1]} ${unit[0]}`;
}

/** The server may give 0 for a duration that nobody set. */
const optionalDuration = (duration: Duration | undefined): string | undefined =>
  duration === undefined || msToNumber(duration) === 0 ? undefined : durationText(duration);

function attributesText(attributes: SearchAttributePair[] | TypedSearchAttributes | undefined): string {
  const pairs =
    attributes === undefined || Array.isArray(attributes) ? (attributes ?? []) : attributes.getAll();
  return pairs
    .map(({ key, value }) => `${key.name} ${JSON.stringify(value)}`)
    .sort()
    .join(', ');
}
