#!/usr/bin/env node
// Stands in for psql where it is not installed: takes the options that the documentation uses, and prints what it is told.
import { parseArgs } from 'node:util';
import pg from 'pg';

const short = (name) => ({ type: 'string', short: name });
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { host: short('h'), port: short('p'), username: short('U'), command: short('c') },
});
const { host, port, username: user, command } = values;
const client = new pg.Client({ host, port: Number(port), user, database: positionals[0] });
await client.connect();
const { rows, fields } = await client.query(command);
await client.end();
console.log(fields.map(({ name }) => name).join(' | '));
for (const row of rows) console.log(fields.map(({ name }) => row[name]).join(' | '));
console.log(`(${rows.length} rows)`);
