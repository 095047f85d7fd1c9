/** The names of the Flink jobs of the pipelines that are run: what may be asked for, before anything is asked. */
import { loadConfig } from '../../config/load.ts';
import { HourglassError } from '../../domain/errors.ts';
import { pipelinesNamed } from '../../pipelines/index.ts';

/** Thrown for a job that no pipeline which is run defines. */
class UnknownJobError extends HourglassError {
  constructor(name: string, known: readonly string[]) {
    super('UNKNOWN_JOB', `There is no Flink job "${name}"; there are: ${known.join(', ')}.`);
  }
}

export const jobNames = (): readonly string[] =>
  pipelinesNamed(loadConfig().values.PIPELINES).map(({ job }) => job.name);

/** @throws UnknownJobError */
export function requireJob(name: string): void {
  const known = jobNames();
  if (!known.includes(name)) throw new UnknownJobError(name, known);
}
