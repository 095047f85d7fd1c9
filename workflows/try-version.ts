/**
 * A dry run: starts another version of a Flink job from a fresh savepoint, under a name and into tables of its own, watches whether its
 * state fits, and ends it. What was seen means what `domain/dry-run.ts` says.
 */
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Candidate } from '../activities/candidates.ts';
import { type CandidateSight, type DryRunAnswer, dryRunAnswer } from '../domain/dry-run.ts';
import { searchAttributes } from '../domain/search-attributes.ts';
import { type TryVersionInput, tryVersionInputSchema } from '../schemas/candidate.ts';
import {
  describeCandidate,
  idOf,
  parseInput,
  questionOf,
  submitCandidate,
  takeFreshSnapshot,
  watchCandidate,
  withCandidate,
} from './candidates/calls.ts';

export async function tryVersion(given: TryVersionInput): Promise<DryRunAnswer> {
  const { job, version, watchMs } = parseInput(tryVersionInputSchema, given);
  const show = (line: string): void => setCurrentDetails(`Version \`${version}\` of **${job}**  \n${line}`);
  const answered = (answer: DryRunAnswer): DryRunAnswer => {
    show(answer.sentence);
    return answer;
  };
  upsertSearchAttributes([{ key: searchAttributes.job, value: job }]);
  show('is judged');

  const candidate = await describeCandidate(questionOf({ job, version, purpose: 'dry_run' }));
  const { refusal: reason, replay } = candidate;
  if (reason !== '') {
    const refused = { end: 'refused', reason, trace: reason } as const;
    return answered(dryRunAnswer({ kind: 'kept', path: '' }, refused, replay));
  }
  const triggerId = idOf('savepoint');
  const origin = await takeFreshSnapshot.executeWithOptions({ summary: 'Have a savepoint taken' }, [
    { job, triggerId },
  ]);
  if (origin.kind === 'none') return answered(dryRunAnswer(origin, undefined, replay));
  show(`starts from \`${origin.path}\``);
  const sight = await withCandidate(candidate, () => tryFrom(candidate, origin.path, watchMs));
  return answered(dryRunAnswer(origin, sight, replay));
}

async function tryFrom(candidate: Candidate, restorePath: string, untilMs: number): Promise<CandidateSight> {
  const jobId = idOf('candidate');
  const refused = await submitCandidate({ candidate, jobId, restorePath });
  return refused ?? watchCandidate({ jobId, untilMs });
}
