/** Owns what follows from an observation and is told by One Call alone: the dew point and the ultraviolet index. */
import { sunHeight } from './solar.ts';
import { hundredths, type MockWeather } from './weather.ts';

/** °C, by the Magnus formula (Alduchov and Eskridge 1996). Never above the temperature. */
export function dewPointC({ main }: Pick<MockWeather, 'main'>): number {
  const [slope, scaleC] = [17.625, 243.04];
  const gamma = Math.log(Math.max(1, main.humidity) / 100) + (slope * main.temp) / (scaleC + main.temp);
  return Math.min(main.temp, hundredths((scaleC * gamma) / (slope - gamma)));
}

/** 0 at night, about 12 under a clear sky with the sun in the zenith: Madronich's power of the sun's height (2007), less by clouds. */
export function ultravioletIndex({
  dt,
  coord,
  clouds,
}: Pick<MockWeather, 'dt' | 'coord' | 'clouds'>): number {
  const height = Math.max(0, sunHeight(dt, coord));
  return hundredths(12.5 * height ** 2.42 * (1 - 0.7 * (clouds.all / 100) ** 3));
}
