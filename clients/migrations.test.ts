import { expect, test } from 'vitest';
import { fakeDatabase } from '../tests/support/fake-database.ts';
import { expectMigrated, UnappliedMigrationsError } from './migrations.ts';
import { readMigrations } from './sql-files.ts';

const known = readMigrations().map(({ name }) => ({ name }));
const asked = (rows: readonly object[]) => expectMigrated(fakeDatabase({ 'applied-migrations': rows }));

test('a database that lacks a migration of the build is refused, with its name and the command that applies it', async () => {
  const lacking = asked(known.slice(0, -1));
  await expect(lacking).rejects.toThrow(UnappliedMigrationsError);
  await expect(lacking).rejects.toThrow(
    `the database lacks ${known.at(-1)?.name}: \`npx hourglass migrate\``,
  );
});

test('a database that has more than the build knows will do: another build has migrated it', async () => {
  await expect(asked([...known, { name: '9999_later.sql' }])).resolves.toBeUndefined();
});
