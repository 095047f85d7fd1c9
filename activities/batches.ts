/** Gathers what comes one by one into batches that are handed on in order, one after the other. */

export interface Batcher<T> {
  /** @throws what handing on an earlier batch threw */
  add(item: T): void;
  /** Resolves when everything was handed on; what is added later is not taken any more. @throws as `add` */
  close(): Promise<void>;
}

interface BatchOptions<T> {
  readonly size: number;
  /** How long the first item of a batch waits for the others, milliseconds. */
  readonly everyMs: number;
  handOn(items: readonly T[]): Promise<void>;
}

export function createBatcher<T>({ size, everyMs, handOn }: BatchOptions<T>): Batcher<T> {
  let items: T[] = [];
  let timer: NodeJS.Timeout | undefined;
  let failure: { readonly error: unknown } | undefined;
  let handedOn = Promise.resolve();
  let isClosed = false;
  const rethrow = (): void => {
    if (failure !== undefined) throw failure.error;
  };
  const send = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (items.length === 0) return;
    const batch = items;
    items = [];
    handedOn = handedOn.then(async () => {
      if (failure !== undefined) return;
      await handOn(batch).catch((error: unknown) => {
        failure = { error };
      });
    });
  };
  return {
    add(item) {
      rethrow();
      if (isClosed) return;
      items.push(item);
      if (items.length >= size) send();
      else timer ??= setTimeout(send, everyMs);
    },
    async close() {
      isClosed = true;
      send();
      await handedOn;
      rethrow();
    },
  };
}
