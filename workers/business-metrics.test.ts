import { describe, expect, test } from 'vitest';
import { createBusinessMetrics } from './business-metrics.ts';
import { familyOf } from './metric-definitions.ts';
import type { MetricGroup } from './metric-groups.ts';

const lagOf = (value: number) =>
  familyOf('consumerLag', [{ labels: { pipeline: 'p', topic: 't', partition: '0' }, value }]);

function metricsOf(...groups: MetricGroup[]) {
  const warnings: string[] = [];
  let nowMs = 0;
  const metrics = createBusinessMetrics({
    ...{ groups, freshMs: 1_000, withinMs: 30, now: () => nowMs },
    logger: { warn: (_, message) => void warnings.push(message) },
  });
  return { metrics, warnings, pass: (ms: number) => (nowMs += ms) };
}

function countingGroup(collect: (times: number) => Promise<number>) {
  let times = 0;
  const group: MetricGroup = { name: 'lag', collect: async () => [lagOf(await collect(++times))] };
  return { group, times: () => times };
}

describe('business metrics', () => {
  test('an answer serves all who ask for a while, also at the same time', async () => {
    const { group, times } = countingGroup(async (time) => time);
    const { metrics, pass } = metricsOf(group);
    const [one, other] = await Promise.all([metrics(), metrics()]);
    expect(one).toContain('hourglass_consumer_lag_records{pipeline="p",topic="t",partition="0"} 1\n');
    expect(other).toBe(one);
    pass(999);
    expect(await metrics()).toBe(one);
    expect(times()).toBe(1);
    pass(1);
    expect(await metrics()).toContain('partition="0"} 2\n');
  });

  test('a group that fails is absent and told to be down, the others are told; its failure is logged once', async () => {
    const failing: MetricGroup = { name: 'completeness', collect: () => Promise.reject(new Error('away')) };
    const { group } = countingGroup(async () => 7);
    const { metrics, warnings, pass } = metricsOf(failing, group);
    const text = await metrics();
    expect(text).toContain('partition="0"} 7\n');
    expect(text).toContain('hourglass_metrics_group_up{group="completeness"} 0\n');
    expect(text).toContain('hourglass_metrics_group_up{group="lag"} 1\n');
    expect(text).not.toContain('away');
    pass(5_000);
    await metrics();
    expect(warnings).toEqual(['metrics cannot be had']);
  });

  test('a group that is slow keeps nobody waiting, and is not asked a second time before it has answered', async () => {
    let answer = (_: number): void => undefined;
    const { group, times } = countingGroup(() => new Promise((resolve) => (answer = resolve)));
    const { metrics, pass } = metricsOf(group);
    expect(await metrics()).toContain('hourglass_metrics_group_up{group="lag"} 0\n');
    pass(5_000);
    const asked = metrics();
    answer(3);
    expect(await asked).toContain('partition="0"} 3\n');
    expect(times()).toBe(1);
  });
});
