/** What a worker process tells of itself: which one it is, whether it takes work, its memory and its CPU. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { renderMetrics } from '../domain/metrics.ts';
import { familyOf } from './metric-definitions.ts';

const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;
const NO_LABELS = {};

export interface ProcessFacts {
  readonly buildId: string;
  /** The task queues it serves. */
  readonly roles: readonly string[];
  isReady(): boolean;
}

/** @returns what gives the metrics as text, of this moment */
export function createProcessMetrics({ buildId, roles, isReady }: ProcessFacts): () => string {
  const delays = monitorEventLoopDelay({ resolution: 20 });
  delays.enable();
  return () => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const one = (value: number) => [{ labels: NO_LABELS, value }];
    const late = [0.5, 0.99, 1].map((quantile) => ({
      labels: { quantile: String(quantile) },
      value: delays.percentile(quantile * 100) / NANOSECONDS,
    }));
    delays.reset();
    return renderMetrics([
      familyOf('workerInfo', [{ labels: { build: buildId, roles: roles.join(',') }, value: 1 }]),
      familyOf('workerReady', one(isReady() ? 1 : 0)),
      familyOf('workerMemory', one(rss)),
      familyOf('workerHeap', one(heapUsed)),
      familyOf('workerHeapLimit', one(getHeapStatistics().heap_size_limit)),
      familyOf('workerCpu', one((user + system) / MICROSECONDS)),
      familyOf('workerDelay', late),
    ]);
  };
}
