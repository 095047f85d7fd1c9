/** Plans a backfill for the command line: with the facts of its pipeline, at this moment. Showing it is left to `plan-text.ts`. */
import { planFor } from '../../clients/backfill-planning.ts';
import type { Queries } from '../../clients/postgres.ts';
import { weatherApi } from '../../config/addresses.ts';
import type { Config } from '../../config/load.ts';
import type { BackfillFacts, BackfillPlan } from '../../domain/backfill-plan.ts';
import { refusalOf } from '../../domain/backfill-refusals.ts';
import { type HourglassError, ofPipeline } from '../../domain/errors.ts';
import { backfillFacts } from '../../pipelines/backfill-facts.ts';
import { byPipeline } from '../../pipelines/index.ts';
import { leaseTerms, termsOf } from '../../pipelines/openweathermap-plans.ts';
import type { BackfillRequest } from '../../schemas/backfill.ts';
import { locationsNamed, type NamedLocation } from '../named-locations.ts';
import { type RequestOptions, requestOf } from './request.ts';

export interface Planned {
  readonly plan: BackfillPlan;
  readonly facts: BackfillFacts;
  readonly now: Date;
  /** Those that were named; undefined for all of the registry. */
  readonly locations: readonly NamedLocation[] | undefined;
  /** Why it cannot be run. */
  readonly refusal: HourglassError | undefined;
}

/** Stores nothing. @throws LocationNotChosenError, InvalidRequestError, UnknownPipelineError */
export async function planned(database: Queries, config: Config, options: RequestOptions): Promise<Planned> {
  const { city } = options;
  const now = new Date();
  // What is wrong with the other options is said before the database is asked.
  requestOf(options, undefined, now);
  const locations = city === undefined ? undefined : await locationsNamed(database, options.pipeline, city);
  const request = requestOf(options, locations, now);
  const facts = factsOf(config, request);
  const plan = await planFor(database, request, facts, now);
  return { plan, facts, now, locations, refusal: refusalOf(plan, now, facts) };
}

function factsOf(config: Config, { pipeline }: BackfillRequest): BackfillFacts {
  const api = weatherApi(config);
  const terms = leaseTerms(api.plan, config.values.BACKFILL_CALL_SHARE);
  const facts = byPipeline(({ definition, createSource, limits }) =>
    backfillFacts(definition, createSource(api).history, termsOf(terms, limits)),
  );
  return ofPipeline(facts, pipeline);
}
