/** Collects the business metrics when they are asked for, at most once in a while; what each says is `metric-groups.ts`'s. */
import { setTimeout as delay } from 'node:timers/promises';
import { type MetricFamily, renderMetrics } from '../domain/metrics.ts';
import { familyOf } from './metric-definitions.ts';
import type { MetricGroup } from './metric-groups.ts';

interface BusinessMetricsOptions {
  readonly groups: readonly MetricGroup[];
  /** How long an answer serves for further questions, milliseconds: whoever scrapes more often costs nothing. */
  readonly freshMs: number;
  /** How long a group may take before the others are told without it, milliseconds. */
  readonly withinMs: number;
  readonly now: () => number;
  readonly logger: { warn(details: object, message: string): void };
}

/** @returns what gives the metrics as text; it never throws, a group that cannot be had is absent and told to be down */
export function createBusinessMetrics(options: BusinessMetricsOptions): () => Promise<string> {
  const { freshMs, now } = options;
  const collectors = options.groups.map((group) => collectorOf(group, options));
  let answer: Promise<string> | undefined;
  let askedAt = 0;
  return () => {
    if (answer === undefined || now() - askedAt >= freshMs) {
      askedAt = now();
      answer = collectAll(collectors);
    }
    return answer;
  };
}

type Collector = () => Promise<{ readonly name: string; readonly families?: readonly MetricFamily[] }>;

async function collectAll(collectors: readonly Collector[]): Promise<string> {
  const found = await Promise.all(collectors.map((collect) => collect()));
  const groups = found.map(({ name, families }) => ({
    labels: { group: name },
    value: families === undefined ? 0 : 1,
  }));
  return renderMetrics([...found.flatMap(({ families }) => families ?? []), familyOf('groupUp', groups)]);
}

function collectorOf(
  { name, collect }: MetricGroup,
  { withinMs, logger }: BusinessMetricsOptions,
): Collector {
  let underWay: Promise<readonly MetricFamily[] | undefined> | undefined;
  let isDown = false;
  const attempt = async (): Promise<readonly MetricFamily[] | undefined> => {
    try {
      const families = await collect();
      isDown = false;
      return families;
    } catch (error) {
      // Said once, not with every question.
      if (!isDown) logger.warn({ group: name, reason: (error as Error).message }, 'metrics cannot be had');
      isDown = true;
      return undefined;
    } finally {
      underWay = undefined;
    }
  };
  return async () => {
    // One that is slow is not asked a second time: its questions would pile up at a service that is in trouble.
    underWay ??= attempt();
    const families = await Promise.race([
      underWay,
      delay(withinMs, undefined, { ref: false }).then(() => undefined),
    ]);
    return { name, ...(families === undefined ? {} : { families }) };
  };
}
