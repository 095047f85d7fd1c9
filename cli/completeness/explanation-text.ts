/** How the story of a window is written for a person: facts, proofs, and what it was judged before. */
import type { WindowChange } from '../../clients/completeness-ledger.ts';
import { HOUR_MS } from '../../domain/backfill-windows.ts';
import { explainWindow } from '../../domain/completeness-explanations.ts';
import { VERDICTS_TO_REPAIR } from '../../domain/completeness-verdicts.ts';
import { instant, renderFacts, stretch } from '../job/format.ts';
import { locationText } from '../named-locations.ts';
import type { WindowStory } from './explain.ts';
import { hourText } from './range.ts';

const MOST_PROOFS = 20;

export function explanationText(story: WindowStory, now: Date): string {
  const { location, window, changes } = story;
  const { verdict, counts, reason, proofs, repair } = explainWindow(window);
  const { windowStart, checkedAt } = window;
  const end = new Date(windowStart.getTime() + HOUR_MS);
  return [
    `${locationText(location)}, ${hourText(windowStart)} to ${hourText(end)}`,
    '',
    renderFacts([
      ['Verdict', verdict],
      ['Counts', counts],
      ['Reason', reason ?? undefined],
      ['Repair', repair],
      ['Found', `${instant(checkedAt)}, ${stretch(now.getTime() - checkedAt.getTime())} ago`],
    ]),
    ...listOf('Proofs:', shortened(proofs)),
    ...listOf('Before:', changes.map(changeText)),
    ...listOf('By hand:', commands(story)),
  ].join('\n');
}

const listOf = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];

const shortened = (proofs: readonly string[]): readonly string[] =>
  proofs.length > MOST_PROOFS
    ? [...proofs.slice(0, MOST_PROOFS), `and ${proofs.length - MOST_PROOFS} more, which --json has`]
    : proofs;

function changeText({ changedAt, ...change }: WindowChange): string {
  const before = change.previousVerdict;
  const after = judgementText(change.verdict, change.reason);
  return `${instant(changedAt)}  ${before === null ? after : `${judgementText(before, change.previousReason)} → ${after}`}`;
}

const judgementText = (verdict: string, reason: string | null): string =>
  reason === null ? verdict : `${verdict} (${reason})`;

/** What a person can do, or look at. */
function commands({ location, window }: WindowStory): readonly string[] {
  const { verdict, windowStart, evidence, repairWorkflowId } = window;
  const range = `--from ${hourText(windowStart)} --to ${hourText(new Date(windowStart.getTime() + HOUR_MS))} --city ${location.city_id}`;
  const backfill = /^backfill\/([^/]+)$/.exec(repairWorkflowId ?? '')?.[1];
  return [
    ...(evidence?.deadLetters ?? []).map(
      ({ topic, partition, offset }) => `npx hourglass dead-letters show ${topic} ${partition} ${offset}`,
    ),
    ...(backfill === undefined ? [] : [`npx hourglass backfill show ${backfill}`]),
    ...(verdict === 'behind' ? ['npx hourglass job list'] : []),
    ...(verdict === 'unrepairable' ? [`npx hourglass backfill plan ${range}`] : []),
    ...(VERDICTS_TO_REPAIR.includes(verdict) ? [`npx hourglass completeness check ${range}`] : []),
  ];
}
