/** Writes the columns of every table and view of a migrated database, with what the migrations say of them. */
import type pg from 'pg';

interface ColumnRow {
  readonly table: string;
  readonly kind: 'table' | 'view';
  readonly about: string | null;
  readonly column: string;
  readonly type: string;
  readonly is_key: boolean;
  readonly is_required: boolean;
  readonly comment: string | null;
}

/** Partitions are the table they belong to; the migrations' own record is nobody's concern. */
const COLUMNS = `
select
  c.relname as table,
  case when c.relkind = 'v' then 'view' else 'table' end as kind,
  obj_description(c.oid) as about,
  a.attname as column,
  format_type(a.atttypid, a.atttypmod) as type,
  coalesce(a.attnum = any(k.conkey), false) as is_key,
  a.attnotnull as is_required,
  col_description(c.oid, a.attnum) as comment
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p', 'v')
  and not c.relispartition
  and c.relname <> 'schema_migrations'
order by c.relname, a.attnum`;

export interface TableKey {
  readonly table: string;
  readonly key: readonly string[];
}

export interface TablesReference {
  readonly text: string;
  /** In the order of the names; the key of a view is empty. */
  readonly keys: readonly TableKey[];
}

export async function tablesReference(sql: pg.Client): Promise<TablesReference> {
  const { rows } = await sql.query<ColumnRow>(COLUMNS);
  const names = [...new Set(rows.map(({ table }) => table))];
  const tables = names.map((name) => rows.filter(({ table }) => table === name));
  return {
    text: tables.map(tableText).join('\n\n'),
    keys: tables.map((columns) => ({
      table: columns[0]?.table ?? '',
      key: columns.filter(({ is_key }) => is_key).map(({ column }) => column),
    })),
  };
}

function tableText(columns: readonly ColumnRow[]): string {
  const [first] = columns;
  const rows = columns.map(({ column, type, is_key, is_required, comment }) => {
    const told = [is_key ? 'key' : is_required ? 'never null' : undefined, comment ?? undefined];
    const what = told.filter((each) => each !== undefined).join('; ');
    return `| \`${column}\` | ${type} | ${what.replaceAll('|', '\\|')} |`;
  });
  return [
    `#### ${first?.table}`,
    ...(first?.about === null || first?.about === undefined ? [] : ['', first.about]),
    '',
    '| column | type | what |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}
