/** Reads from Flink's description of a stream, and from its metrics, how many records went through it since it last started. */
import type { FlinkJob, FlinkRestClient } from './flink-rest.ts';

export interface RecordsThrough {
  /** What its sources handed on, after whatever is chained to them. */
  readonly handed: number;
  /** What reached the writer of each table, by the table's name in the SQL. */
  readonly written: Readonly<Record<string, number>>;
}

/**
 * A writer is chained to what feeds it, so the counts of the job's parts do not tell what reached it, its own metric does. Flink
 * collects metrics each ten seconds: what is not told yet counts as none.
 * @throws FlinkUnreachableError, FlinkRequestError
 */
export async function recordsThrough(
  job: FlinkJob,
  { metricSums }: Pick<FlinkRestClient, 'metricSums'>,
  signal?: AbortSignal,
): Promise<RecordsThrough> {
  const written: Record<string, number> = {};
  for (const { id = '', name } of job.vertices) {
    const writers = writersIn(name);
    if (writers.length === 0) continue;
    const metrics = writers.flatMap(({ metrics: its }) => its);
    const sums = await metricSums(job.jid, id, metrics, signal);
    for (const { table, metrics: its } of writers)
      written[table] = its.reduce((all, metric) => all + (sums[metric] ?? 0), written[table] ?? 0);
  }
  return { handed: handedOn(job), written };
}

function handedOn({ vertices, plan }: FlinkJob): number {
  const sources = new Set((plan?.nodes ?? []).flatMap(({ id, inputs }) => (inputs.length === 0 ? id : [])));
  return vertices.reduce(
    (all, { id = '', metrics }) => all + (sources.has(id) ? (metrics?.['write-records'] ?? 0) : 0),
    0,
  );
}

/** A part is named after all that is chained in it: `… -> Sink: observations[7]`. Some connectors split a sink, and its writer is so called. */
const writersIn = (vertex: string): readonly { table: string; metrics: readonly string[] }[] =>
  [...vertex.matchAll(/Sink: ([^\s:[\],()]+)(\[\d+\])/g)].map(([, table = '', number = '']) => ({
    table,
    metrics: ['', '__Writer'].map((writer) => `Sink__${table}${number}${writer}.numRecordsIn`),
  }));
