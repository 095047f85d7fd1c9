/** What a tour says of its hour: which one it is, what is going to be done to it, and what was done. */
import { hourText } from '../completeness/range.ts';
import { locationText } from '../named-locations.ts';
import { countToTake, type HourFigures, type TakenObservation, type TourHour } from './hour.ts';

const DIGITS = 2;

export const chosenText = (hour: TourHour, figures: HourFigures): string =>
  [
    `${locationText(hour.location)}, ${hourText(hour.from)} to ${hourText(hour.to)}:`,
    figuresText(figures),
  ].join('\n');

export function plannedText(hour: TourHour): string {
  const taken = countToTake(hour);
  return [
    '',
    'This hour is going to be broken, in PostgreSQL:',
    `  the last ${taken === 1 ? 'one' : taken} of its ${hour.stored} observations ${taken === 1 ? 'is' : 'are'} deleted`,
    '  the average and the highest temperature of its row are raised by ten degrees',
    'Then a completeness check is started, of this hour alone. Nothing else is touched.',
  ].join('\n');
}

export function brokenText(taken: readonly TakenObservation[], figures: HourFigures): string {
  return [
    '',
    'Broken. Deleted:',
    ...taken.map(
      ({ observed_at, topic, partition_id, record_offset }) =>
        `  the observation of ${observed_at.toISOString().slice(11, 16)}, which came from offset ${record_offset} of ${topic}, partition ${partition_id}`,
    ),
    figuresText(figures),
  ].join('\n');
}

/** `  6 observations stored; its row counts 6, temperature 3.20 °C on average, 4.10 °C at most`. */
export function figuresText({ stored, row }: HourFigures): string {
  const kept = `  ${stored} observation${stored === 1 ? '' : 's'} stored`;
  if (row === null) return `${kept}; there is no row of the hour`;
  const degrees = (value: unknown): string =>
    typeof value === 'number' ? `${value.toFixed(DIGITS)} °C` : 'nothing';
  return `${kept}; its row counts ${row['observation_count']}, temperature ${degrees(row['temp_avg'])} on average, ${degrees(row['temp_max'])} at most`;
}
