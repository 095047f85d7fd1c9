/** `npm run docs:reference`: writes the generated parts of docs/cli.md and docs/configuration.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProgram } from '../../cli/program.ts';
import { projectRoot } from '../../config/load.ts';
import { commandReference, configurationReference, withGenerated } from './reference.ts';

const pages = {
  'docs/cli.md': commandReference(await createProgram()),
  'docs/configuration.md': configurationReference(),
};
for (const [name, generated] of Object.entries(pages)) {
  const file = join(projectRoot, name);
  writeFileSync(file, withGenerated(readFileSync(file, 'utf8'), generated));
}
