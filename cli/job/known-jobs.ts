/** The names of the Flink jobs that the pipelines define: what may be asked for, before anything is asked. */
import { HourglassError } from '../../domain/errors.ts';
import { pipelines } from '../../pipelines/index.ts';

/** Thrown for a job that no pipeline defines. */
class UnknownJobError extends HourglassError {
  constructor(name: string, known: readonly string[]) {
    super('UNKNOWN_JOB', `There is no Flink job "${name}"; there are: ${known.join(', ')}.`);
  }
}

export const jobNames = (): readonly string[] => Object.values(pipelines).map(({ job }) => job.name);

/** @throws UnknownJobError */
export function requireJob(name: string): void {
  const known = jobNames();
  if (!known.includes(name)) throw new UnknownJobError(name, known);
}
