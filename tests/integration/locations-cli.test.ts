import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectSql, hourglass } from '../support/shared-stack.ts';

/** Ids that no city has; rows with them begin in a year in which nobody polls any more. */
const firstId = 900_000_001;
const far = '2150-01-01T00:00:00.000Z';
const header =
  'city_id,name,country,lat,lon,timezone,cadence_minutes,min_observations_per_hour,active_from,active_to';

let sql: pg.Client;
let directory: string;

beforeAll(async () => {
  sql = await connectSql();
  directory = mkdtempSync(join(tmpdir(), 'hourglass-locations-'));
});
afterEach(async () => {
  await sql.query('delete from locations where city_id >= $1', [firstId]);
});
afterAll(async () => {
  await sql?.end();
  rmSync(directory, { recursive: true, force: true });
});

const rowOf = (index: number, rest: string): string =>
  `${firstId + index},Nowhere ${index},NO,0.5,-0.25,UTC,${rest}`;

function fileOf(rows: readonly string[]): string {
  const file = join(directory, 'locations.csv');
  writeFileSync(file, [header, ...rows, ''].join('\n'));
  return file;
}

const stored = async () =>
  (
    await sql.query(
      'select city_id::int, name, cadence_minutes as cadence, min_observations_per_hour as least, active_from, active_to from locations where city_id >= $1 order by city_id',
      [firstId],
    )
  ).rows;

describe('hourglass locations', () => {
  test('the first locations are expected from a whole hour a day ago', async () => {
    const { rows } = await sql.query<{ active_from: Date }>(
      'select active_from from locations where city_id = 184745',
    );
    const from = rows[0]?.active_from.getTime() ?? 0;
    expect(from % 3_600_000).toBe(0);
    expect(Date.now() - from).toBeGreaterThanOrEqual(24 * 3_600_000);
    expect(Date.now() - from).toBeLessThan(26 * 3_600_000);
  });

  test('a file is imported once: what is new, changed and unchanged is told, and a dry run writes nothing', async () => {
    const file = fileOf([rowOf(0, `,,${far},`), rowOf(1, `60,,${far},`)]);
    const tried = await hourglass(['locations', 'import', file, '--dry-run']);
    expect(tried).toMatchObject({ code: 0, stderr: '' });
    expect(tried.stdout).toContain('Nothing was written. There would be 2 new, 0 changed, 0 unchanged.');
    expect(tried.stdout).toContain('calls a minute');
    expect(await stored()).toEqual([]);

    expect((await hourglass(['locations', 'import', file])).stdout).toContain(
      '2 new, 0 changed, 0 unchanged.',
    );
    const rows = await stored();
    expect(rows).toMatchObject([
      {
        city_id: firstId,
        name: 'Nowhere 0',
        cadence: 10,
        least: 4,
        active_from: new Date(far),
        active_to: null,
      },
      { city_id: firstId + 1, cadence: 60, least: 1 },
    ]);
    // What is left empty stays as it is.
    const again = await hourglass([
      'locations',
      'import',
      fileOf([rowOf(0, ',,,'), rowOf(1, '30,,,')]),
      '--json',
    ]);
    expect(JSON.parse(again.stdout)).toMatchObject({ new: 0, changed: 1, unchanged: 1, beginLater: 0 });
    expect(await stored()).toEqual([rows[0], { ...rows[1], cadence: 30 }]);
  });

  test('every mistake of a file is told at once, with line, column and value, and nothing is written', async () => {
    const file = fileOf([
      rowOf(0, `,,${far},`),
      `${firstId + 1},Nowhere,no,95,10,Europe/Olso,,,,`,
      rowOf(0, `,,${far},`),
      rowOf(3, `30,3,${far},`),
      rowOf(4, `,,${far},2026-01-01`),
      '1,2',
    ]);
    const { code, stderr } = await hourglass(['locations', 'import', file]);
    expect(code).toBe(1);
    for (const mistake of [
      'because of 7 mistakes',
      'line 3, country is "no": expected',
      'line 3, lat is "95": expected degrees north, from -90 to 90',
      'line 3, timezone is "Europe/Olso": expected',
      `line 4, city_id is "${firstId}": expected each city once, and line 2 has it already`,
      'line 5, min_observations_per_hour is "3": expected at most 2',
      'line 6, active_to is "2026-01-01T00:00:00.000Z": expected a time after active_from',
      'line 7 has 2 fields: expected 10',
    ])
      expect(stderr).toContain(mistake);
    expect(await stored()).toEqual([]);
  });

  test('what the plan does not carry is refused with the arithmetic, and less is always allowed', async () => {
    const many = Array.from({ length: 1_600 }, (_, index) => rowOf(index, `1,,${far},`));
    const refused = await hourglass(['locations', 'import', fileOf(many)]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/more calls than the plan "developer" allows\. .*1,600 every 1 min/s);
    expect(await stored()).toEqual([]);

    await sql.query(
      `insert into locations (city_id, name, country, lat, lon, timezone, cadence_minutes, min_observations_per_hour, active_from)
       select $1 + number, 'Too many', 'NO', 0, 0, 'UTC', 1, 1, $2 from generate_series(0, 1599) as number`,
      [firstId, far],
    );
    const fewer = await hourglass(['locations', 'import', fileOf([rowOf(0, '60,,,')]), '--json']);
    expect(JSON.parse(fewer.stdout)).toMatchObject({ changed: 1, plan: { fits: false } });
  });

  test('a hundred thousand locations are registered in one go', async () => {
    const file = fileOf(Array.from({ length: 100_000 }, (_, index) => rowOf(index, `1440,,${far},`)));
    const { code, stdout, stderr } = await hourglass(['locations', 'import', file, '--json']);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ new: 100_000 });
    expect((await sql.query('select from locations where city_id >= $1', [firstId])).rowCount).toBe(100_000);
  });

  test('one city is added by its id, and has to begin before it can end', async () => {
    const id = String(firstId);
    const named = [
      '--name',
      'Nowhere',
      '--country',
      'NO',
      '--lat',
      '-0.5',
      '--lon',
      '-0.25',
      '--timezone',
      'UTC',
    ];
    const added = await hourglass([
      'locations',
      'add',
      id,
      ...named,
      '--cadence',
      '30',
      '--active-from',
      far,
    ]);
    expect(added.stdout).toContain(
      `Nowhere, NO (${id}) is added: polled every 30 min, at least 1 observation expected in each hour from ${far} on.`,
    );
    const [wrong, listed, early, unknown] = await Promise.all([
      hourglass(['locations', 'add', id, ...named, '--cadence', 'often']),
      hourglass(['locations', 'list', '--search', 'nowhere', '--country', 'no', '--json']),
      hourglass(['locations', 'deactivate', id]),
      hourglass(['locations', 'deactivate', id, '17']),
    ]);
    expect(wrong.stderr).toContain('--cadence is "often": expected a whole number of minutes');
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { city_id: firstId, state: 'planned', polled_at: null },
    ]);
    expect(early.stderr).toContain('begins only at');
    expect(unknown.stderr).toContain('no location 17 in the registry');
  });

  test('a location that ended is listed only with all, and begins again from a time that is told', async () => {
    const id = String(firstId);
    await sql.query(
      `insert into locations (city_id, name, country, lat, lon, timezone, active_from, active_to)
       values ($1, 'Nowhere', 'NO', 0, 0, 'UTC', '2020-01-01', '2020-02-01')`,
      [id],
    );
    const [present, all] = await Promise.all([
      hourglass(['locations', 'list', '--search', 'Nowhere']),
      hourglass(['locations', 'list', '--search', 'Nowhere', '--all', '--json']),
    ]);
    expect(present.stdout).toContain('no such location that is active or planned');
    expect(JSON.parse(all.stdout)).toMatchObject([{ state: 'ended' }]);
    const begun = await hourglass(['locations', 'activate', id, '--from', far]);
    expect(begun.stdout).toContain(`is polled and expected from ${far} on`);
    expect(await stored()).toMatchObject([{ active_from: new Date(far), active_to: null }]);
    const end = '2160-01-01T00:00:00.000Z';
    const ended = await hourglass(['locations', 'deactivate', id, '--at', end]);
    expect(ended.stdout).toContain(`polled and expected until ${end}; the observations stay`);
    expect(await stored()).toMatchObject([{ active_to: new Date(end) }]);
  });

  test('a city is found by its name: geocoding, the weather there for its id, the zone by the coordinates', async () => {
    const [found, none, neither] = await Promise.all([
      hourglass(['locations', 'add', '--search', 'Nairobi', '--dry-run']),
      hourglass(['locations', 'add', '--search', 'Osslo']),
      hourglass(['locations', 'add']),
    ]);
    expect([found.code, found.stderr]).toEqual([0, '']);
    expect(found.stdout).toContain('Nairobi, KE (184745) would be there already, and unchanged');
    expect(found.stdout).toContain('The time zone Africa/Nairobi was found by the coordinates');
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('knows no place "Osslo"')]);
    expect(neither.stderr).toContain('Give either a city id');
  });

  test('the list shows what was last had of each location', async () => {
    const [kenya, table] = await Promise.all([
      hourglass(['locations', 'list', '--country', 'KE', '--json']),
      hourglass(['locations', 'list']),
    ]);
    const [nairobi] = JSON.parse(kenya.stdout);
    expect(nairobi).toMatchObject({ city_id: 184745, state: 'active', timezone: 'Africa/Nairobi' });
    expect(table.stdout).toMatch(/City id +Name .*\n/);
    expect(table.stdout).toContain('60 locations');
  });
});
