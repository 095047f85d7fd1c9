import { expect, test } from 'vitest';
import { element, text } from './xml.ts';

test('an element holds its attributes and its children, and leaves out what is undefined', () => {
  expect(element('a', { b: 1, c: undefined, d: '<"&>' }, [element('e'), text('<&>')])).toBe(
    '<a b="1" d="&lt;&quot;&amp;&gt;"><e/>&lt;&amp;&gt;</a>',
  );
});
