/** Reads from Flink's description of a stream how many records went through it since it last started. */
import type { FlinkJob } from './flink-rest.ts';

export interface RecordsThrough {
  /** What its sources handed on, after whatever is chained to them. */
  readonly handed: number;
  /** What reached the parts that hand on nothing: those that write. */
  readonly written: number;
}

/** @returns undefined where Flink does not count: a part that both reads and writes hands its records on inside itself */
export function recordsThrough({ vertices, plan }: FlinkJob): RecordsThrough | undefined {
  const nodes = plan?.nodes ?? [];
  const handing = new Set(nodes.flatMap(({ inputs }) => inputs.map(({ id }) => id)));
  const sources = new Set(nodes.filter(({ inputs }) => inputs.length === 0).map(({ id }) => id));
  const writers = new Set(nodes.filter(({ id }) => !handing.has(id)).map(({ id }) => id));
  if (nodes.length === 0 || [...writers].some((id) => sources.has(id))) return undefined;
  const sum = (of: ReadonlySet<string>, count: 'read-records' | 'write-records'): number =>
    vertices.reduce((all, { id = '', metrics }) => all + (of.has(id) ? (metrics?.[count] ?? 0) : 0), 0);
  return { handed: sum(sources, 'write-records'), written: sum(writers, 'read-records') };
}
