/** What the commands say of locations and of changes of the registry. */
import type { RegisteredLocation } from '../../domain/locations.ts';
import type { Registered } from './register.ts';

export const locationName = ({ name, country, city_id }: RegisteredLocation): string =>
  `${name}, ${country} (${city_id})`;

/** `polled every 10 min, at least 4 observations expected in each hour from … on`. */
export function expectation(location: RegisteredLocation): string {
  const { cadence_minutes, min_observations_per_hour: least, active_from, active_to } = location;
  const until = active_to === null ? 'on' : `to ${active_to.toISOString()}`;
  const observations = least === 1 ? 'observation' : 'observations';
  return `polled every ${cadence_minutes} min, at least ${least} ${observations} expected in each hour from ${active_from.toISOString()} ${until}`;
}

/** What a file, or a row of the command line, made of the registry. */
export function registrationText(outcome: Registered, dryRun: boolean): string {
  const { new: added, changed, unchanged, beginLater, beginEarlier, ended } = outcome;
  const would = dryRun ? 'Nothing was written. There would be ' : '';
  return [
    `${would}${added.length} new, ${changed.length} changed, ${unchanged.length} unchanged.`,
    ...(beginEarlier === 0
      ? []
      : [`${beginEarlier} begin earlier than before: their earlier hours become expected.`]),
    ...(beginLater === 0
      ? []
      : [`${beginLater} begin later than before: the hours between are no longer expected.`]),
    ...(ended === 0
      ? []
      : [
          `${ended} are not active: their end has passed. \`npx hourglass locations activate\` has them begin again.`,
        ]),
  ].join('\n');
}
