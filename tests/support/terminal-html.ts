/** Turns what a command prints to a terminal, colours and all, into a page that looks like that terminal. */

/** Select Graphic Rendition, as far as the command line uses it: what begins with a code, and the codes that end it. */
const STYLES: Readonly<Record<string, string>> = {
  1: 'font-weight: bold',
  2: 'opacity: 0.6',
  7: 'filter: invert(1); background: #1c1f26',
  31: 'color: #ff6b68',
  32: 'color: #7bd88f',
  33: 'color: #fce566',
  34: 'color: #5ca7ff',
  35: 'color: #d699ff',
  36: 'color: #5ad4e6',
  90: 'color: #8b888f',
};
const ENDS: Readonly<Record<string, readonly string[]>> = {
  22: ['1', '2'],
  27: ['7'],
  39: ['31', '32', '33', '34', '35', '36', '90'],
};

const CODE = new RegExp(`${String.fromCharCode(27)}\\[([\\d;]*)m`);

const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** @throws for a code that it does not know: a picture must not differ from the terminal in silence */
export function spansOf(printed: string): string {
  let styles: readonly string[] = [];
  const parts = printed.split(CODE);
  return parts
    .map((part, index) => {
      if (index % 2 === 0)
        return styles.length === 0 || part === ''
          ? escaped(part)
          : `<span style="${styles.map((code) => STYLES[code]).join('; ')}">${escaped(part)}</span>`;
      for (const code of part.split(';')) styles = changed(styles, code);
      return '';
    })
    .join('');
}

function changed(styles: readonly string[], code: string): readonly string[] {
  if (code === '' || code === '0') return [];
  const ended = ENDS[code];
  if (ended !== undefined) return styles.filter((style) => !ended.includes(style));
  if (STYLES[code] === undefined) throw new Error(`a terminal's code that has no style here: ${code}`);
  return [...styles, code];
}

/** A page with a prompt, the command, and what it printed. */
export function terminalPage(command: string, printed: string): string {
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; background: #1c1f26; color: #e6e6e6; }
    pre { margin: 0; padding: 20px 24px; width: max-content; font: 14px/1.35 'DejaVu Sans Mono', monospace; }
    b { color: #7bd88f; }
  </style><pre><b>$</b> ${escaped(command)}\n${spansOf(printed.trimEnd())}</pre>`;
}
