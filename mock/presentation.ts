/** Owns in which dress an answer's weather goes out: the units and the language that a request asks for. */
import type { Condition } from './conditions.ts';
import { describedIn } from './descriptions.ts';
import { inUnits, type UnitSystem, unitSystemOf } from './units.ts';
import type { MockWeather } from './weather.ts';

export interface Presentation {
  units: UnitSystem;
  described(conditions: readonly Condition[]): Condition[];
  /** The weather in these units and this language. */
  dressed(weather: MockWeather): MockWeather;
}

export function presentationOf(query: URLSearchParams): Presentation {
  const units = unitSystemOf(query.get('units'));
  const described = (conditions: readonly Condition[]) => describedIn(conditions, query.get('lang'));
  return {
    units,
    described,
    dressed: (weather) => ({ ...inUnits(weather, units), weather: described(weather.weather) }),
  };
}
