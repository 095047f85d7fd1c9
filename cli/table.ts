/** Lays text out in columns that fit the terminal. */

const UNKNOWN_WIDTH = 80;

/** Numbers stand right, texts left; whole columns that do not fit are left out from the right. A terminal of no width does not tell. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns = UNKNOWN_WIDTH,
): string {
  const widths = head.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const room = columns === 0 ? UNKNOWN_WIDTH : columns;
  let used = 0;
  const fitting = widths.filter((width, index) => {
    used += width + (index === 0 ? 0 : 2);
    return used <= room;
  }).length;
  const isNumber = head.map(
    (_, index) => rows.length > 0 && rows.every((row) => /^[-–\d.]+( .*)?$/.test(row[index] ?? '')),
  );
  const layOut = (cells: readonly string[]): string =>
    cells
      .slice(0, Math.max(1, fitting))
      .map((cell, index) =>
        isNumber[index] ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [layOut(head), ...rows.map(layOut)].join('\n');
}
