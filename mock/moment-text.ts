/** Owns the texts of moments as the API writes them, in UTC. */

/** `2026-01-31 18:00:00`, the `dt_txt` of a forecast. */
export function momentText(atSeconds: number): string {
  return xmlMomentText(atSeconds).replace('T', ' ');
}

/** `2026-01-31T18:00:00`, without a zone: the XML answers' way. */
export function xmlMomentText(atSeconds: number): string {
  return new Date(atSeconds * 1000).toISOString().slice(0, 19);
}

/** `2026-01-31` of the civil day so far east of UTC. */
export function dayText(atSeconds: number, utcOffsetSeconds = 0): string {
  return new Date((atSeconds + utcOffsetSeconds) * 1000).toISOString().slice(0, 10);
}
