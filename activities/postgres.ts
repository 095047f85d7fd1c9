/** Activities that only ask the database. */
import type { Database } from '../clients/postgres.ts';

export interface PostgresDeps {
  readonly database: Database;
  readonly now: () => Date;
}

const MONTHS = { before: 1, after: 2 } as const;

export function createPostgresActivities({ database, now }: PostgresDeps) {
  return {
    /** Makes the partitions from last month to two months ahead; returns how many were missing. */
    async ensurePartitions(): Promise<number> {
      const monthsFromNow = (months: number): string => {
        const date = now();
        return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1))
          .toISOString()
          .slice(0, 10);
      };
      const [row] = await database.query<{ made: number }>('ensure-observation-partitions', [
        monthsFromNow(-MONTHS.before),
        monthsFromNow(MONTHS.after),
      ]);
      return row?.made ?? 0;
    },
  };
}

export type PostgresActivities = ReturnType<typeof createPostgresActivities>;
