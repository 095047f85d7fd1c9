/** What a figure was measured on: cores, memory and versions, and nothing that names a machine or a person. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { BenchStack } from './stack.ts';

/** One line for the head of a section. */
export async function machineFacts({ sql, services }: Pick<BenchStack, 'sql' | 'services'>): Promise<string> {
  const { kafkaJars, flinkJars, java } = services.context.parts;
  const { rows } = await sql.query<{ server_version: string }>('show server_version');
  const facts = [
    `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    `${Math.round(totalmem() / 2 ** 30)} GB of memory`,
    `Node ${process.versions.node}`,
    `Java ${await javaVersion(java)}`,
    `Kafka ${versionOfJar(kafkaJars, /^kafka_[\d.]+-([\d.]+)\.jar$/)}`,
    `Flink ${versionOfJar(flinkJars, /^flink-runtime-([\d.]+)\.jar$/)}`,
    `PostgreSQL ${rows[0]?.server_version}`,
  ];
  return `${new Date().toISOString().slice(0, 10)}; ${facts.join(', ')}; everything on the same machine.`;
}

function versionOfJar(directory: string, name: RegExp): string {
  return readdirSync(directory).flatMap((file) => name.exec(file)?.[1] ?? [])[0] ?? 'unknown';
}

async function javaVersion(java: string): Promise<string> {
  const { stderr } = await promisify(execFile)(java, ['-version']);
  return /version "([^"]+)"/.exec(stderr)?.[1] ?? 'unknown';
}
