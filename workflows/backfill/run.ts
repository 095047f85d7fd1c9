/** What a run of a backfill knows: its state, how many chunks stand where, and how that gets on the screen. */
import {
  CancellationScope,
  condition,
  setCurrentDetails,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { BackfillCounts, BegunBackfill } from '../../activities/backfills.ts';
import { type BackfillState, backfillStates, type ChunkState } from '../../domain/backfill-states.ts';
import { searchAttributes } from '../../domain/search-attributes.ts';
import type { BackfillPolicy, CarriedFile } from '../../schemas/backfill.ts';
import type { LoadFor } from './load.ts';

export class BackfillRun {
  readonly begun: BegunBackfill;
  readonly policy: BackfillPolicy;
  readonly jobs: LoadFor['jobs'];
  state: BackfillState;
  /** What is under way; cancelled when it is to be broken off. */
  readonly scope = new CancellationScope();
  /** Why it cannot go on; undefined while it can. */
  refusal: string | undefined;
  /** There is more to do than one run takes. */
  hasMore = false;
  /** The file, as far as it was read; left out for other inputs. */
  file: CarriedFile | undefined;
  /** How many chunks are published and in no load yet; at first, of a run that broke off, at most as many. */
  toLoad: number;
  private readonly chunks: Record<ChunkState, number>;
  private note = '';

  constructor(begun: BegunBackfill, policy: BackfillPolicy, file: CarriedFile | undefined) {
    this.begun = begun;
    this.policy = policy;
    this.jobs = begun.jobs;
    this.state = begun.state;
    this.chunks = { ...begun.chunks };
    this.toLoad = begun.chunks.published + begun.chunks.loaded;
    this.file = file;
    this.show();
  }

  get id(): string {
    return this.begun.id;
  }

  get purpose(): LoadFor['purpose'] {
    return this.begun.request.purpose;
  }

  /** Nothing new is begun any more. */
  get isEnding(): boolean {
    return this.state === 'cancelling' || this.refusal !== undefined;
  }

  /** Waits while it is paused, or there is no room. @returns whether something new may be begun */
  async mayBegin(hasRoom: () => boolean = () => true): Promise<boolean> {
    await condition(() => this.isEnding || (this.state === 'running' && hasRoom()));
    return !this.isEnding;
  }

  /** A history that becomes too long, or a newer worker version: both are answered by going on as a new run. */
  isTimeToMoveOn(begun: number): boolean {
    const { continueAsNewSuggested, targetWorkerDeploymentVersionChanged } = workflowInfo();
    return (
      begun >= this.policy.chunksPerRun || continueAsNewSuggested || targetWorkerDeploymentVersionChanged
    );
  }

  /** @param chunks as the ledger has them, when it was asked */
  enter(state: BackfillState, chunks: BackfillCounts = this.chunks): void {
    this.state = state;
    Object.assign(this.chunks, chunks);
    this.show();
  }

  giveUp(reason: string): void {
    this.refusal ??= reason;
    this.show();
  }

  moved(from: ChunkState, to: ChunkState, chunks = 1): void {
    const moving = Math.min(chunks, this.chunks[from]);
    this.chunks[from] -= moving;
    this.chunks[to] += moving;
    if (to === 'published') this.toLoad += chunks;
    this.show();
  }

  /** So many of those that are published are being loaded; when there are none, there are none to come either. */
  loading(chunks: number): void {
    this.toLoad = chunks === 0 ? 0 : Math.max(0, this.toLoad - chunks);
  }

  /** What is being done besides the chunks. */
  tell(note: string): void {
    this.note = note;
    this.show();
  }

  /** What the Temporal UI shows without opening a payload or asking a worker. */
  private show(): void {
    const { id, request } = this.begun;
    const { from, to, input, reason } = request;
    const counts = countsText(this.chunks);
    const lines = [
      `**${id}** is **${this.state}**`,
      backfillStates[this.state].description,
      `\`${from}\` to \`${to}\` from ${input}${reason === '' ? '' : `: ${reason}`}`,
      `chunks: ${counts}`,
      this.note === '' ? undefined : this.note,
      this.refusal === undefined ? undefined : `It cannot go on: ${this.refusal}`,
    ];
    setCurrentDetails(lines.filter((line) => line !== undefined).join('  \n'));
    upsertMemo({ progress: `${this.state}; ${counts}` });
    const { state, backfill, pipeline } = searchAttributes;
    // Each upsert is an event of the history, so only what is new is one.
    if (workflowInfo().typedSearchAttributes.get(state) !== this.state)
      upsertSearchAttributes([
        { key: backfill, value: id },
        { key: pipeline, value: request.pipeline },
        { key: state, value: this.state },
      ]);
  }
}

function countsText(chunks: BackfillCounts): string {
  const all = Object.values(chunks).reduce((sum, count) => sum + count, 0);
  const others = Object.entries(chunks).filter(([state, count]) => state !== 'done' && count > 0);
  return [`${chunks.done} of ${all} done`, ...others.map(([state, count]) => `${count} ${state}`)].join(', ');
}
