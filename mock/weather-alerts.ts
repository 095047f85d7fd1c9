/** Owns the warnings of One Call: which of the coming hours deserve one. */
import type { MockWeather } from './weather.ts';

export interface WeatherAlert {
  sender_name: string;
  event: string;
  /** Unix seconds. */
  start: number;
  end: number;
  description: string;
  tags: string[];
}

interface Danger {
  event: string;
  tag: string;
  description: string;
  isMet(hour: MockWeather): boolean;
}

/** The limits are those that European weather services begin to warn at. */
const dangers: readonly Danger[] = [
  {
    event: 'Gale warning',
    tag: 'Wind',
    description: 'Gusts of 65 km/h and more are expected.',
    isMet: ({ wind }) => (wind.gust ?? 0) >= 18,
  },
  {
    event: 'Heat warning',
    tag: 'Extreme high temperature',
    description: 'Temperatures of 37 °C and more are expected.',
    isMet: ({ main }) => main.temp >= 37,
  },
  {
    event: 'Frost warning',
    tag: 'Extreme low temperature',
    description: 'Temperatures of -25 °C and less are expected.',
    isMet: ({ main }) => main.temp <= -25,
  },
  {
    event: 'Thunderstorm warning',
    tag: 'Thunderstorm',
    description: 'Thunderstorms are expected.',
    isMet: ({ weather }) => weather.some(({ main }) => main === 'Thunderstorm'),
  },
];

/** At most one alert of a kind, from the first to the last of these hours that deserves it. */
export function alertsOf(hours: readonly MockWeather[]): WeatherAlert[] {
  return dangers.flatMap(({ event, tag, description, isMet }) => {
    const met = hours.filter(isMet).map(({ dt }) => dt);
    const [start, end] = [met.at(0), met.at(-1)];
    if (start === undefined || end === undefined) return [];
    return [
      { sender_name: 'Mock weather service', event, start, end: end + 3_600, description, tags: [tag] },
    ];
  });
}
