/** All that a worker tells to Prometheus in one answer: of itself, of the business, and of Temporal's SDK. */
import { createBusinessMetrics } from './business-metrics.ts';
import { businessMetricGroups, type MetricDoors } from './metric-groups.ts';
import { createProcessMetrics, type ProcessFacts } from './process-metrics.ts';
import { sdkMetrics } from './sdk-metrics.ts';

const FRESH_MS = 10_000;
const WITHIN_MS = 5_000;

interface MetricsOptions extends ProcessFacts {
  /** Undefined where the SDK serves none. */
  readonly sdkAddress: string | undefined;
  /** Undefined for a worker that tells nothing of the business: that is the same whoever is asked. */
  readonly business: MetricDoors | undefined;
  readonly logger: { warn(details: object, message: string): void };
}

export function createMetrics({ sdkAddress, business, logger, ...facts }: MetricsOptions) {
  const ofProcess = createProcessMetrics(facts);
  const ofBusiness =
    business === undefined
      ? async () => ''
      : createBusinessMetrics({
          groups: businessMetricGroups(business),
          ...{ freshMs: FRESH_MS, withinMs: WITHIN_MS, now: () => Date.now(), logger },
        });
  return async (): Promise<string> => {
    const [told, sdk] = await Promise.all([
      ofBusiness(),
      sdkAddress === undefined ? '' : sdkMetrics(sdkAddress),
    ]);
    return `${ofProcess()}${told}${sdk}`;
  };
}
