import { describe, expect, test } from 'vitest';
import { spansOf, terminalPage } from './terminal-html.ts';

describe('what a terminal shows, as a page', () => {
  test('colours begin and end where the terminal begins and ends them', () => {
    expect(spansOf('a\x1b[34mb\x1b[39mc')).toBe('a<span style="color: #5ca7ff">b</span>c');
    expect(spansOf('\x1b[1m\x1b[33mM\x1b[39mx\x1b[22my')).toBe(
      '<span style="font-weight: bold; color: #fce566">M</span><span style="font-weight: bold">x</span>y',
    );
    expect(spansOf('\x1b[2mdim\x1b[0m not')).toBe('<span style="opacity: 0.6">dim</span> not');
  });

  test('text stays text', () => {
    expect(spansOf('a < b & c > d')).toBe('a &lt; b &amp; c &gt; d');
    expect(terminalPage('echo "<b>"', '1\n\n')).toContain('echo "&lt;b&gt;"\n1</pre>');
  });

  test('a code without a style is an error, not a picture without it', () => {
    expect(() => spansOf('\x1b[45mx')).toThrow('45');
  });
});
