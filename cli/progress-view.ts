/** Shows progress events: a block that redraws itself on a terminal, plain lines without one. */
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { ProgressEvent, Report } from '../stack/progress.ts';

export interface ProgressView {
  readonly report: Report;
  /** Leaves what is shown in place and stops redrawing. */
  close(): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const FRAME_MS = 100;

export function createProgressView(stream: NodeJS.WriteStream = process.stdout): ProgressView {
  return stream.isTTY ? terminalView(stream) : plainView(stream);
}

function plainView(stream: NodeJS.WriteStream): ProgressView {
  const shown = new Map<string, string>();
  return {
    report({ step, status, text }) {
      const line =
        status === 'running'
          ? text === ''
            ? `${step} …`
            : undefined
          : `${step}: ${status === 'note' ? '' : `${status}, `}${text}`;
      if (line === undefined || shown.get(step) === line) return;
      shown.set(step, line);
      stream.write(`${line}\n`);
    },
    close: () => undefined,
  };
}

function terminalView(stream: NodeJS.WriteStream): ProgressView {
  const logUpdate = createLogUpdate(stream);
  const running = new Map<string, { text: string; since: number }>();
  let frame = 0;
  const width = (): number => Math.max(20, (stream.columns || 80) - 1);
  const cut = (line: string): string => (line.length > width() ? `${line.slice(0, width() - 1)}…` : line);
  const draw = (): void => {
    frame += 1;
    const lines = [...running].map(([step, { text, since }]) => {
      const seconds = Math.round((Date.now() - since) / 1_000);
      return `${pc.cyan(FRAMES[frame % FRAMES.length] ?? '')} ${cut(`${step}  ${seconds} s  ${text}`)}`;
    });
    logUpdate(lines.join('\n'));
  };
  const timer = setInterval(draw, FRAME_MS);
  const above = (line: string): void => {
    logUpdate.clear();
    stream.write(`${line}\n`);
    draw();
  };
  return {
    report({ step, status, text }: ProgressEvent) {
      if (status === 'running') {
        running.set(step, { text, since: running.get(step)?.since ?? Date.now() });
        return;
      }
      if (status !== 'note') running.delete(step);
      if (status === 'done') above(`${pc.green('✓')} ${step}  ${pc.dim(text)}`);
      if (status === 'failed') above(`${pc.red('✗')} ${step}  ${text}`);
      if (status === 'note') above(`${pc.yellow('!')} ${step}  ${text}`);
    },
    close() {
      clearInterval(timer);
      logUpdate.clear();
      logUpdate.done();
    },
  };
}
