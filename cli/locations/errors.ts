/** The refusals of a change of the registry. */

import type { LivePlan } from '../../domain/call-budget.ts';
import { HourglassError } from '../../domain/errors.ts';

/** Thrown when rows cannot be registered as they were given; a line for each mistake, and nothing was written. */
export class LocationMistakesError extends HourglassError {
  constructor(mistakes: readonly string[]) {
    super(
      'LOCATION_MISTAKES',
      `Nothing was written, because of ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((line) => `  ${line}`).join('\n')}`,
    );
  }
}

/**
 * Thrown when the registry would need more calls than live polling may use of the plan, and more than it needs now. It does not
 * mean that the calls of this minute or month are used up.
 */
export class OverPlanError extends HourglassError {
  constructor(plan: string, { explanation }: LivePlan) {
    super(
      'OVER_PLAN',
      `Nothing was written: the registry would need more calls than the plan "${plan}" allows. ${explanation} The plan is set by OPENWEATHERMAP_PLAN.`,
    );
  }
}

/** Thrown when ids are given that the registry does not hold. */
export class UnknownLocationsError extends HourglassError {
  constructor(cityIds: readonly number[]) {
    super(
      'UNKNOWN_LOCATIONS',
      `Nothing was written: there is no location ${cityIds.join(', ')} in the registry; \`npx hourglass locations list --all\` shows what there is.`,
    );
  }
}
