/** Owns the sun over a place: how high it stands, local solar time, sunrise and sunset. */

const daySeconds = 86_400;
const radians = Math.PI / 180;
/** Refraction and the sun's radius: the sun is up when its centre stands less than this below the horizon. */
const horizonDegrees = -0.833;

/** Degrees; latitude north and longitude east are positive. */
export interface Coordinates {
  lat: number;
  lon: number;
}

export interface SunTimes {
  /** Unix seconds. */
  sunrise: number;
  sunset: number;
}

/** The angle of the year in radians: 0 at the start of the year, 2π at its end; a leap year's slip of a day is ignored. */
function yearAngle(atSeconds: number): number {
  const yearSeconds = 365.2425 * daySeconds;
  const sinceYear2000 = atSeconds - 946_684_800;
  return 2 * Math.PI * (sinceYear2000 / yearSeconds - Math.floor(sinceYear2000 / yearSeconds));
}

/**
 * The sun's declination in radians and the equation of time in seconds: Spencer's Fourier series (1971), good to 0.04° and
 * half a minute. https://gml.noaa.gov/grad/solcalc/solareqns.PDF
 */
function sunPosition(atSeconds: number): { declination: number; equationOfTimeSeconds: number } {
  const angle = yearAngle(atSeconds);
  const [cos1, sin1, cos2, sin2] = [
    Math.cos(angle),
    Math.sin(angle),
    Math.cos(2 * angle),
    Math.sin(2 * angle),
  ];
  const declination =
    0.006918 -
    0.399912 * cos1 +
    0.070257 * sin1 -
    0.006758 * cos2 +
    0.000907 * sin2 -
    0.002697 * Math.cos(3 * angle) +
    0.00148 * Math.sin(3 * angle);
  const equationOfTimeMinutes =
    229.18 * (0.000075 + 0.001868 * cos1 - 0.032077 * sin1 - 0.014615 * cos2 - 0.040849 * sin2);
  return { declination, equationOfTimeSeconds: equationOfTimeMinutes * 60 };
}

/**
 * The season of the northern hemisphere: 1 in the warmest days (about 20 July, a month after the solstice because land and
 * sea warm slowly), -1 in the coldest.
 */
export function northernSeason(atSeconds: number): number {
  return Math.cos(yearAngle(atSeconds) - (2 * Math.PI * 200) / 365.2425);
}

/** Local apparent solar time in hours, [0, 24): the sun is highest at 12. */
export function solarHour(atSeconds: number, lon: number): number {
  const hours = (atSeconds + lon * 240 + sunPosition(atSeconds).equationOfTimeSeconds) / 3600;
  return ((hours % 24) + 24) % 24;
}

/** The sine of the sun's height above the horizon at its highest of the day. Negative in the polar night. */
export function noonHeight(atSeconds: number, lat: number): number {
  return Math.cos(lat * radians - sunPosition(atSeconds).declination);
}

/** The sine of the sun's height above the horizon: 1 in the zenith, negative at night. */
export function sunHeight(atSeconds: number, { lat, lon }: Coordinates): number {
  const { declination } = sunPosition(atSeconds);
  const hourAngle = (solarHour(atSeconds, lon) - 12) * 15 * radians;
  return (
    Math.sin(lat * radians) * Math.sin(declination) +
    Math.cos(lat * radians) * Math.cos(declination) * Math.cos(hourAngle)
  );
}

/** Whether the sun, or a part of it, is above the horizon. */
export function isDaylight(atSeconds: number, place: Coordinates): boolean {
  return sunHeight(atSeconds, place) > Math.sin(horizonDegrees * radians);
}

/**
 * Sunrise and sunset of the civil day that contains the moment, `utcOffsetSeconds` east of UTC; good to a few minutes.
 * Undefined in the polar day and the polar night.
 */
export function sunTimes(
  atSeconds: number,
  { lat, lon }: Coordinates,
  utcOffsetSeconds: number,
): SunTimes | undefined {
  const civilNoon =
    Math.floor((atSeconds + utcOffsetSeconds) / daySeconds) * daySeconds + daySeconds / 2 - utcOffsetSeconds;
  const { declination, equationOfTimeSeconds } = sunPosition(civilNoon);
  // Every day has a solar noon; near the date line the one of the UTC day is not the one of the civil day.
  const anySolarNoon = daySeconds / 2 - lon * 240 - equationOfTimeSeconds;
  const solarNoon = anySolarNoon + Math.round((civilNoon - anySolarNoon) / daySeconds) * daySeconds;
  const cosine =
    (Math.sin(horizonDegrees * radians) - Math.sin(lat * radians) * Math.sin(declination)) /
    (Math.cos(lat * radians) * Math.cos(declination));
  if (!(Math.abs(cosine) < 1)) return undefined;
  const halfDaySeconds = (Math.acos(cosine) / (2 * Math.PI)) * daySeconds;
  return { sunrise: Math.round(solarNoon - halfDaySeconds), sunset: Math.round(solarNoon + halfDaySeconds) };
}
