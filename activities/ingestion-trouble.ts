/** Activities of a run that failed, or follows one that did: its record, what a person is told, and the pause of its schedule. */
import { activityInfo } from '@temporalio/activity';
import type { Database } from '../clients/postgres.ts';
import { ingestScheduleId } from '../domain/identities.ts';
import { judgeTrouble, type TroublePolicy, troubleAlert, troubleNote } from '../domain/ingestion-trouble.ts';
import type { Alert } from '../schemas/alert.ts';
import { columnsOf, type RunKey, streakBefore } from './ingest-run.ts';

export interface IngestionTroubleDeps {
  readonly database: Database;
  readonly policy: TroublePolicy;
  readonly now: () => Date;
  pauseSchedule(scheduleId: string, note: string): Promise<void>;
}

export interface JudgedRun extends RunKey {
  /** Why it failed; null when it did not. */
  readonly error: string | null;
}

export interface RunJudgement {
  readonly alert: Alert | undefined;
  readonly pause: { readonly scheduleId: string; readonly note: string } | undefined;
}

export function createIngestionTroubleActivities({
  database,
  policy,
  now,
  pauseSchedule,
}: IngestionTroubleDeps) {
  return {
    /** Puts a failure on record, and says what follows from it and from the runs before. */
    async judgeRun({ error, ...run }: JudgedRun): Promise<RunJudgement> {
      const { pipeline, source, shard, scheduledAt } = run;
      const at = now();
      if (error !== null)
        await database.query('fail-ingest-run', [
          ...[...columnsOf(run), at, error],
          activityInfo().workflowExecution?.runId ?? '',
        ]);
      const { failures: failuresBefore, since } = await streakBefore(database, run);
      const verdict = judgeTrouble(failuresBefore, error !== null, policy);
      const scheduleId = ingestScheduleId(pipeline, source, shard);
      const trouble = { scheduleId, failuresBefore, since: since ?? new Date(scheduledAt), error, at };
      return {
        alert: troubleAlert(trouble, verdict),
        pause: verdict.pause ? { scheduleId, note: troubleNote(trouble) } : undefined,
      };
    },

    async pauseIngestion({ scheduleId, note }: NonNullable<RunJudgement['pause']>): Promise<void> {
      await pauseSchedule(scheduleId, note);
    },
  };
}

export type IngestionTroubleActivities = ReturnType<typeof createIngestionTroubleActivities>;
