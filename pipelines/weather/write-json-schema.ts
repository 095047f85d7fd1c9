/** Writes `docs/contract/observation.schema.json`: `npm run docs:contract`. What stands in it is `json-schema.ts`'s. */
import { writeFileSync } from 'node:fs';
import { observationJsonSchema } from './json-schema.ts';

writeFileSync(
  new URL('../../docs/contract/observation.schema.json', import.meta.url),
  `${JSON.stringify(observationJsonSchema(), undefined, 2)}\n`,
);
