import { describe, expect, test } from 'vitest';
import { definedVersion, nameOfVersion } from '../../clients/job-versions.ts';
import { candidateSinks } from '../../domain/candidates.ts';
import { weather } from '../../pipelines/weather/definition.ts';
import { ChangeDoesNotApplyError, sqlChanges, wrongAverages } from './sql-changes.ts';

const present = definedVersion(weather.job);

describe('each change', () => {
  test.each([...sqlChanges, wrongAverages])(
    '"$name" makes another version of the SQL as it is now, which a candidate can run',
    ({ apply }) => {
      const changed = apply(present);
      expect(nameOfVersion(changed)).not.toBe(nameOfVersion(present));
      expect(candidateSinks(changed.statements).length).toBeGreaterThan(0);
    },
  );

  test('is another one than the others', () => {
    const names = sqlChanges.map(({ apply }) => nameOfVersion(apply(present)));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(12);
  });

  test('says so when the SQL has not what it was written for', () => {
    expect(() => wrongAverages.apply({ statements: ['SELECT 1'], settings: {} })).toThrow(
      ChangeDoesNotApplyError,
    );
  });
});
