/** Activities that only ask the database. */
import type { Database } from '../clients/postgres.ts';

export interface PostgresDeps {
  readonly database: Database;
  /** The names of all whose facts are kept by months. */
  readonly pipelines: readonly string[];
  readonly now: () => Date;
}

const MONTHS = { before: 1, after: 2 } as const;

export function createPostgresActivities({ database, pipelines, now }: PostgresDeps) {
  return {
    /** Makes every pipeline's partitions from last month to two months ahead; returns how many were missing. */
    async ensurePartitions(): Promise<number> {
      const monthsFromNow = (months: number): string => {
        const date = now();
        return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1))
          .toISOString()
          .slice(0, 10);
      };
      const range = [monthsFromNow(-MONTHS.before), monthsFromNow(MONTHS.after)];
      let made = 0;
      for (const pipeline of pipelines) {
        const [row] = await database.query<{ made: number }>('ensure-partitions', range, pipeline);
        made += row?.made ?? 0;
      }
      return made;
    },
  };
}

export type PostgresActivities = ReturnType<typeof createPostgresActivities>;
