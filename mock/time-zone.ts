/** Owns the offset of an IANA time zone at a moment. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** Seconds east of UTC. Throws a RangeError for a zone that Node's ICU does not know. */
export function utcOffsetSeconds(timezone: string, atSeconds: number): number {
  const name = formatOf(timezone)
    .formatToParts(atSeconds * 1000)
    .find((part) => part.type === 'timeZoneName')?.value;
  // "GMT" alone is UTC itself; seconds occur in local mean times of the nineteenth century.
  const match = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(name ?? '');
  if (match === null) throw new RangeError(`The time zone ${timezone} has no readable offset: ${name}.`);
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match;
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === '-' ? -size : size;
}

/** Making a format costs fifty times what using it does. */
function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
  formats.set(timezone, format);
  return format;
}
