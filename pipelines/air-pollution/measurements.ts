/**
 * The measurements of the air: where each stands in a record, its column, and the range outside which a value is impossible. The same
 * ranges stand in `sql/flink/views/plausible-air.sql`; a test compares them. OpenWeatherMap gives µg/m³, and has been seen to give -9999
 * for what it does not know. https://openweathermap.org/api/air-pollution
 */

export interface AirMeasurement {
  readonly column: string;
  readonly path: readonly [group: 'main' | 'components', field: string];
  readonly range: readonly [lowest: number, highest: number];
}

/** Ten times and more of what the worst dust storms and fires have brought. */
const concentration = (column: string, highest: number): AirMeasurement => ({
  column,
  path: ['components', column],
  range: [0, highest],
});

export const measurements: readonly AirMeasurement[] = [
  // By definition: 1 is good, 5 very poor.
  { column: 'aqi', path: ['main', 'aqi'], range: [1, 5] },
  concentration('co', 1_000_000),
  ...['no', 'no2', 'o3', 'so2', 'pm2_5', 'pm10', 'nh3'].map((column) => concentration(column, 100_000)),
];
