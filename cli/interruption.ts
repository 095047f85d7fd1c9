/** Ctrl-C as the end that it is meant to be, for commands that go on until then. */

/** Fires once with Ctrl-C, or when the process is asked to end. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}
