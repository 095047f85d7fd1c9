/** Owns what does not change at a place of the mock: its height, how far from the sea and how wet it is. */
import { clamp, hashOf } from './noise.ts';

export interface Climate {
  elevationM: number;
  /** 0 is an island, 1 the middle of a continent: how far summer and winter, day and night lie apart. */
  continentality: number;
  /** 0 is a desert, 1 a rain forest. */
  wetness: number;
  /** How much warmer the year is than the latitude alone lets expect, °C: ocean currents. */
  warmthC: number;
}

/** Places whose climate their latitude does not tell, by city id. All of it is a rough judgement, good enough to be believable. */
const knownClimates: ReadonlyMap<number, Partial<Climate>> = new Map<number, Partial<Climate>>([
  [112931, { elevationM: 1179, continentality: 0.6, wetness: 0.15, warmthC: 5 }], // Tehran
  [184745, { elevationM: 1684, continentality: 0.3, wetness: 0.5, warmthC: 1 }], // Nairobi
  [292223, { continentality: 0.5, wetness: 0.04, warmthC: 5 }], // Dubai
  [360630, { continentality: 0.5, wetness: 0.04, warmthC: 2 }], // Cairo
  [379252, { elevationM: 385, continentality: 0.6, wetness: 0.06, warmthC: 6 }], // Khartoum
  [524901, { elevationM: 144, continentality: 0.5, warmthC: 1 }], // Moscow
  [1138958, { elevationM: 1798, continentality: 0.6, wetness: 0.22, warmthC: 4 }], // Kabul
  [1185241, { wetness: 0.7, warmthC: 3 }], // Dhaka
  [1273294, { elevationM: 227, continentality: 0.5, wetness: 0.35, warmthC: 4 }], // Delhi
  [1283240, { elevationM: 1317, wetness: 0.6, warmthC: 6 }], // Kathmandu
  [1496747, { elevationM: 162, continentality: 0.7 }], // Novosibirsk
  [1497337, { continentality: 0.75, warmthC: -8 }], // Norilsk
  [1512569, { elevationM: 424, continentality: 0.55, wetness: 0.25, warmthC: 3 }], // Tashkent
  [1816670, { continentality: 0.6, wetness: 0.35 }], // Beijing
  [2013159, { elevationM: 95, continentality: 1, wetness: 0.35, warmthC: -10 }], // Yakutsk
  [2028462, { elevationM: 1300, continentality: 0.85, wetness: 0.2 }], // Ulan Bator
  [2071828, { wetness: 0.25 }], // Eucla
  [2077895, { elevationM: 576, continentality: 0.6, wetness: 0.12, warmthC: 3 }], // Alice Springs
  [2253354, { wetness: 0.3, warmthC: -1 }], // Dakar
  [2643743, { continentality: 0.15, warmthC: 4 }], // London
  [2729907, { continentality: 0.25, warmthC: 3 }], // Longyearbyen
  [2950159, { continentality: 0.3, warmthC: 3 }], // Berlin
  [2988507, { continentality: 0.2, warmthC: 4 }], // Paris
  [3117735, { elevationM: 665, continentality: 0.4, wetness: 0.35, warmthC: 5 }], // Madrid
  [3133895, { continentality: 0.1, warmthC: 6 }], // Tromsø
  [3143244, { continentality: 0.3, warmthC: 5 }], // Oslo
  [3352136, { elevationM: 1660, continentality: 0.5, wetness: 0.18, warmthC: 6 }], // Windhoek
  [3374333, { continentality: 0.05, wetness: 0.15 }], // Praia
  [3530597, { elevationM: 2240, continentality: 0.3, wetness: 0.45, warmthC: 6 }], // Mexico City
  [3652462, { elevationM: 2854, continentality: 0.3, wetness: 0.65, warmthC: 3 }], // Quito
  [3663517, { wetness: 0.8 }], // Manaus
  [3899539, { continentality: 0.1, wetness: 0.02, warmthC: -4 }], // Antofagasta
  [3936456, { elevationM: 154, continentality: 0.1, wetness: 0.05, warmthC: -6 }], // Lima
  [5308655, { elevationM: 331, continentality: 0.5, wetness: 0.08, warmthC: 6 }], // Phoenix
  [5368361, { continentality: 0.2, wetness: 0.2 }], // Los Angeles
  [5419384, { elevationM: 1609, continentality: 0.6, wetness: 0.25, warmthC: 6 }], // Denver
  [5856195, { continentality: 0.05, wetness: 0.4 }], // Honolulu
]);

/** The climate of a city: the known one, completed by what its latitude and its id suggest. */
export function climateOf({ id, lat }: { id: number; lat: number }): Climate {
  const character = hashOf(id);
  return {
    elevationM: 3 + (character % 60),
    continentality: 0.15 + ((character >>> 8) % 30) / 100,
    wetness: wetnessOfLatitude(Math.abs(lat)),
    warmthC: 0,
    ...knownClimates.get(id),
  };
}

/** Wet at the equator, dry under the sinking air of the horse latitudes, wet again under the west winds, dry at the poles. */
function wetnessOfLatitude(absoluteLat: number): number {
  const equator = Math.exp(-((absoluteLat / 14) ** 2));
  const westWinds = Math.exp(-(((absoluteLat - 53) / 16) ** 2));
  return clamp(0.32 + 0.42 * equator + 0.28 * westWinds, 0, 1);
}
