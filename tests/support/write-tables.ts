/** `npm run docs:tables`: writes the columns in docs/tables.md, from the database of the running stack. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { readerAddress } from '../../config/addresses.ts';
import { loadConfig, projectRoot } from '../../config/load.ts';
import { withGenerated } from './reference.ts';
import { tablesReference } from './tables-reference.ts';

const sql = new pg.Client(readerAddress(loadConfig()));
await sql.connect();
const { text } = await tablesReference(sql);
await sql.end();
const file = join(projectRoot, 'docs/tables.md');
writeFileSync(file, withGenerated(readFileSync(file, 'utf8'), text, 'docs:tables'));
