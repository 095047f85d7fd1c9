/**
 * The measurements of an observation: where each stands in OpenWeatherMap's JSON, its column, and the range outside which a
 * value is physically impossible. The same ranges stand in `sql/flink/views/plausible-observations.sql`; a test compares them.
 *
 * Source of the ranges: the World Meteorological Organization's archive of weather and climate extremes, https://wmo.asu.edu;
 * each bound lies a little outside the record.
 */

export interface Measurement {
  readonly column: string;
  readonly path: readonly string[];
  readonly unit: string;
  readonly range: readonly [lowest: number, highest: number];
  /** What the range was taken from. */
  readonly record: string;
}

const temperature = '−89.2 °C at Vostok, 1983; 56.7 °C at Furnace Creek, 1913';
const seaLevel = '870 hPa in typhoon Tip, 1979; 1089.4 hPa at Tosontsengel, 2004';
const wind = 'a gust of 113.2 m/s on Barrow Island, 1996';
const precipitation = '305 mm in an hour at Holt, 1947; 401 mm have been reported, at Shangdi in 1975';
const bounded = 'by definition';

export const measurements: readonly Measurement[] = [
  { column: 'temp', path: ['main', 'temp'], unit: '°C', range: [-90, 60], record: temperature },
  {
    column: 'feels_like',
    path: ['main', 'feels_like'],
    unit: '°C',
    range: [-130, 100],
    record: 'what wind chill and heat index make of the extremes of temperature',
  },
  { column: 'temp_min', path: ['main', 'temp_min'], unit: '°C', range: [-90, 60], record: temperature },
  { column: 'temp_max', path: ['main', 'temp_max'], unit: '°C', range: [-90, 60], record: temperature },
  { column: 'pressure', path: ['main', 'pressure'], unit: 'hPa', range: [850, 1100], record: seaLevel },
  {
    column: 'pressure_sea_level',
    path: ['main', 'sea_level'],
    unit: 'hPa',
    range: [850, 1100],
    record: seaLevel,
  },
  {
    column: 'pressure_ground_level',
    path: ['main', 'grnd_level'],
    unit: 'hPa',
    range: [300, 1100],
    record: 'about 330 hPa on the summit of Mount Everest',
  },
  { column: 'humidity', path: ['main', 'humidity'], unit: '%', range: [0, 100], record: bounded },
  {
    column: 'visibility',
    path: ['visibility'],
    unit: 'm',
    range: [0, 100_000],
    record: 'the source gives at most 10 000; observers report up to 70 km and more',
  },
  { column: 'wind_speed', path: ['wind', 'speed'], unit: 'm/s', range: [0, 120], record: wind },
  { column: 'wind_direction', path: ['wind', 'deg'], unit: '°', range: [0, 360], record: bounded },
  { column: 'wind_gust', path: ['wind', 'gust'], unit: 'm/s', range: [0, 120], record: wind },
  { column: 'clouds', path: ['clouds', 'all'], unit: '%', range: [0, 100], record: bounded },
  { column: 'rain_1h', path: ['rain', '1h'], unit: 'mm/h', range: [0, 450], record: precipitation },
  { column: 'snow_1h', path: ['snow', '1h'], unit: 'mm/h', range: [0, 450], record: precipitation },
];

/** Not measurements, but bounded in the same way. */
export const coordinates: readonly Measurement[] = [
  { column: 'lon', path: ['coord', 'lon'], unit: '°', range: [-180, 180], record: bounded },
  { column: 'lat', path: ['coord', 'lat'], unit: '°', range: [-90, 90], record: bounded },
];
