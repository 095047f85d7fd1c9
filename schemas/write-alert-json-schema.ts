/** Writes `docs/contract/alert.schema.json`: `npm run docs:contract`. What stands in it is `alert-json-schema.ts`'s. */
import { writeFileSync } from 'node:fs';
import { alertJsonSchema } from './alert-json-schema.ts';

writeFileSync(
  new URL('../docs/contract/alert.schema.json', import.meta.url),
  `${JSON.stringify(alertJsonSchema(), undefined, 2)}\n`,
);
