/** A deploy as its decisions are told of it: the old build serves, the new one is wanted. Each test changes what it is about. */
import type { DeployFacts, GateVerdict, VersionFacts } from '../../domain/deploy-steps.ts';

export const OLD = 'aaaaaaaaaaaaaaaa';
export const NEW = 'bbbbbbbbbbbbbbbb';
export const OTHER = 'cccccccccccccccc';
export const NOW = 1_000_000;
export const WISHED = 500_000;

export const version = (buildId: string, change: Partial<VersionFacts> = {}): VersionFacts => ({
  buildId,
  hasFiles: true,
  worker: 'none',
  unpolled: [],
  status: 'unknown',
  openRuns: 0,
  lastCurrentMs: undefined,
  ceasedMs: undefined,
  verdicts: {},
  ...change,
});
export const passed: GateVerdict = { passed: true, reason: '', judgedAtMs: WISHED + 1 };
export const failed: GateVerdict = { passed: false, reason: 'it does not fit', judgedAtMs: WISHED + 1 };
export const before: GateVerdict = { ...failed, judgedAtMs: WISHED - 1 };

/** The old build serves, the new one is wanted. */
export const facts = (change: Partial<VersionFacts> = {}, more: Partial<DeployFacts> = {}): DeployFacts => ({
  nowMs: NOW,
  wish: { buildId: NEW, kind: 'deploy', wishedAtMs: WISHED },
  currentBuild: OLD,
  currentSinceMs: 100,
  versions: [version(OLD, { worker: 'ready', status: 'current', lastCurrentMs: 100 }), version(NEW, change)],
  failures: { failedRuns: 0, failedRunsBefore: 0, stuck: [] },
  watchMs: 120_000,
  ...more,
});
