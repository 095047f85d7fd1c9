import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderFlinkSql, UnknownSqlParameterError } from './flink-sql.ts';

test('a parameter becomes one quoted literal, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const rendered = renderFlinkSql("'a' = ${value}", { value });
      const literal = rendered.slice("'a' = ".length);
      expect(literal.startsWith("'") && literal.endsWith("'")).toBe(true);
      // Read back as SQL reads it: no quote inside stands alone.
      expect(literal.slice(1, -1).replaceAll("''", '')).not.toContain("'");
      expect(literal.slice(1, -1).replaceAll("''", "'")).toBe(value);
    }),
  );
});

test('an unknown parameter is refused by name, also one that every object has', () => {
  expect(() => renderFlinkSql('${toString}', { topic: 'x' })).toThrow(UnknownSqlParameterError);
  expect(() => renderFlinkSql('${topics}', { topic: 'x' })).toThrow(
    '${topics}, which is not a parameter; there are: topic',
  );
});
