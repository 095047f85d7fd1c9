/** Reads column lists out of the project's own SQL files, written as style asks: one column a line. */

/** Without comments and quotes around names. */
const plain = (sql: string): string => sql.replace(/--.*$/gm, '').replace(/`/g, '');

/** The text between the parenthesis that follows `opening` and the one that closes it. */
export function insideParentheses(sql: string, opening: RegExp): string {
  const text = plain(sql);
  const match = opening.exec(text);
  if (match === null) throw new Error(`no ${opening} in the SQL`);
  const from = text.indexOf('(', match.index) + 1;
  let depth = 1;
  let to = from;
  for (; depth > 0 && to < text.length; to += 1) {
    if (text[to] === '(') depth += 1;
    if (text[to] === ')') depth -= 1;
  }
  return text.slice(from, to - 1);
}

/** The parts between the commas that stand in no parenthesis. */
export function listItems(text: string): string[] {
  let depth = 0;
  const parts = [''];
  for (const character of plain(text)) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim().replace(/\s+/g, ' ')).filter((part) => part !== '');
}

export interface Column {
  readonly name: string;
  /** The rest of its definition, in lower case. */
  readonly definition: string;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
}

/** A `create table` of PostgreSQL or Flink. */
export function readTable(sql: string, name: string): Table {
  const items = listItems(insideParentheses(sql, new RegExp(`create table ${name}\\s*\\(`, 'i')));
  const key = items.find((item) => /^primary key/i.test(item)) ?? '';
  const columns = items.filter((item) => !/^(primary key|unique|check|constraint)\b/i.test(item));
  return {
    columns: columns.map((item) => {
      const [column = '', ...rest] = item.split(' ');
      return { name: column, definition: rest.join(' ').toLowerCase() };
    }),
    primaryKey: key === '' ? [] : listItems(insideParentheses(key, /primary key/i)),
  };
}

/** What a `SELECT` gives: each expression with its name, which is what follows AS, or the column itself. */
export function selectItems(sql: string, opening: RegExp): readonly { expression: string; name: string }[] {
  const text = plain(sql).replace(/\/\*.*?\*\//gs, '');
  const match = opening.exec(text);
  if (match === null) throw new Error(`no ${opening} in the SQL`);
  const [list = ''] = text.slice(match.index + match[0].length).split(/\bFROM\b/i);
  return listItems(list).map((item) => {
    const [, expression = item, name = item] = /^(.*) AS (\w+)$/i.exec(item) ?? [];
    return { expression, name };
  });
}
