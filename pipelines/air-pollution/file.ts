/** Owns how a line of a file becomes a record of the air: a document as the live topic has it, one a line, in µg/m³. */
import type { LineReaderOptions, ReadLine } from '../../clients/observation-file.ts';
import { inspectAirRecord } from './contract.ts';

/** The line itself is published: it must fit the contract, and its location be registered. */
export const createAirLineReader =
  ({ locationOf, now }: LineReaderOptions): ReadLine =>
  (text) => {
    const inspection = inspectAirRecord({ value: Buffer.from(text), publishedAt: now() });
    if (inspection.kind === 'poison') return { kind: 'malformed', reason: inspection.reason };
    const { entityId, observedAt } = inspection;
    return locationOf(entityId) === undefined
      ? {
          kind: 'malformed',
          reason: `City ${entityId} is not registered: \`hourglass locations add\` registers it.`,
        }
      : { kind: 'record', entityId, observedAt, body: text };
  };
