/** The file by which a Prometheus finds the workers that run now, whatever their ports: in the format of its `file_sd_configs`. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOOPBACK } from './context.ts';
import type { SupervisedService } from './supervisor.ts';

interface ScrapeTarget {
  readonly targets: readonly string[];
  readonly labels: { readonly service: string };
}

const fileOf = (dataDir: string): string => join(dataDir, 'prometheus-targets.json');

/** Written only when it changes: a Prometheus reads it anew each time. */
export function writeScrapeTargets(
  dataDir: string,
  services: readonly Pick<SupervisedService, 'spec' | 'status'>[],
): void {
  const targets = services.flatMap((service): readonly ScrapeTarget[] => {
    const { name, metricsPort } = service.spec;
    if (metricsPort === undefined || service.status().phase === 'stopped') return [];
    return [{ targets: [`${LOOPBACK}:${metricsPort}`], labels: { service: name } }];
  });
  const text = `${JSON.stringify(targets, undefined, 2)}\n`;
  const file = fileOf(dataDir);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  // A reader must never see half of it.
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Where the service tells its metrics, and its health. @returns undefined for one that does not run */
export function metricsAddress(dataDir: string, service: string): string | undefined {
  const file = fileOf(dataDir);
  const targets = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ScrapeTarget[]) : [];
  return targets.find(({ labels }) => labels.service === service)?.targets[0];
}
