/** `hourglass doctor`: whether a start would work on this machine, with the cure for what is missing. */
import { Command } from 'commander';
import pc from 'picocolors';
import { loadConfig } from '../config/load.ts';
import type { Check, CheckVerdict } from '../stack/doctor/check.ts';
import { examine } from '../stack/doctor.ts';
import { type NotedRow, renderNotedTable } from './job/format.ts';
import { exitCodes } from './program.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'Whether a start would work on this machine, and the cure for what is missing; exit code 1 when it would not',
    )
    .option('--json', 'print as JSON')
    .action(doctor);
}

async function doctor({ json }: { json?: boolean }): Promise<void> {
  const checks = await examine(loadConfig({ stackAddresses: false }));
  console.log(json ? JSON.stringify(checks, undefined, 2) : describe(checks));
  if (checks.some(({ verdict }) => verdict === 'failed')) process.exitCode = exitCodes.failed;
}

/** The word says it, colour only adds to it. */
const paint: Readonly<Record<CheckVerdict, (text: string) => string>> = {
  ok: pc.green,
  warning: pc.yellow,
  failed: (text) => pc.bold(pc.red(text)),
};

function describe(checks: readonly Check[]): string {
  const rows = checks.map(
    ({ name, verdict, found, cure }): NotedRow => ({
      cells: [name, verdict, found],
      note: cure === undefined ? '' : `→ ${cure}`,
    }),
  );
  const table = renderNotedTable(['What', 'Verdict', 'Found'], rows, Number.POSITIVE_INFINITY);
  const painted = table.replace(
    / (ok|warning|failed) {2}/g,
    (_, verdict: CheckVerdict) => ` ${paint[verdict](verdict)}  `,
  );
  return `${painted}\n\n${summary(checks)}`;
}

function summary(checks: readonly Check[]): string {
  const count = (verdict: CheckVerdict): number => checks.filter((check) => check.verdict === verdict).length;
  if (count('failed') > 0) return `A start would fail: ${count('failed')} of ${checks.length} checks failed.`;
  return count('warning') === 0
    ? 'A start will work: `npx hourglass up`, or `npm start`.'
    : `A start will work, with ${count('warning')} warnings: \`npx hourglass up\`, or \`npm start\`.`;
}
