import { describe, expect, test } from 'vitest';
import { lineReaders, pipelineOfJob, pipelines, pipelinesNamed, sharingTheKey, tablesOf } from './index.ts';
import { leaseTerms, planLimits, termsOf } from './openweathermap-plans.ts';

describe('the pipelines', () => {
  test('are weather, which commands mean unless told, and air pollution', () => {
    expect(Object.keys(pipelines)).toEqual(['weather', 'air-pollution']);
  });

  test('that a start names are run once each, and one that is not known is refused by name', () => {
    const named = pipelinesNamed(['air-pollution', 'weather', 'air-pollution']);
    expect(named.map(({ name }) => name)).toEqual(['air-pollution', 'weather']);
    expect(() => pipelinesNamed(['weather', 'waether'])).toThrow(
      'There is no pipeline "waether"; there are: weather, air-pollution.',
    );
  });

  test('are found by their jobs, and their tables by their names', () => {
    expect(pipelineOfJob('air-stream').name).toBe('air-pollution');
    expect(pipelineOfJob('recompute-hours').name).toBe('weather');
    expect(tablesOf('air-pollution')).toMatchObject({ facts: 'air_observations', key: 'city_id' });
    expect(() => tablesOf('other')).toThrow(/no pipeline "other"/);
  });

  test('can both be loaded from a file', () => {
    expect(Object.keys(lineReaders)).toEqual(Object.keys(pipelines));
  });
});

describe('the calls of a pipeline', () => {
  test('are counted together where they are made with one key', () => {
    expect(sharingTheKey(['weather'])).toEqual(['weather']);
    expect(sharingTheKey(['air-pollution', 'weather'])).toEqual(['weather', 'air-pollution']);
  });

  test('are leased on the terms of the key, unless its source has limits of its own', () => {
    const ofKey = leaseTerms('free', 0.5);
    expect(termsOf(ofKey, undefined)).toBe(ofKey);
    const own = termsOf(ofKey, planLimits.startup);
    expect(own).toEqual({ ...ofKey, limits: planLimits.startup });
  });
});
