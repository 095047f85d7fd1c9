/** What the running program knows of time zones by their names in the IANA database. */

const known = new Map<string, Intl.DateTimeFormat | undefined>();

/** Formatters are dear to make: a file of many locations names few zones. */
function formatterOf(name: string): Intl.DateTimeFormat | undefined {
  if (known.has(name)) return known.get(name);
  let formatter: Intl.DateTimeFormat | undefined;
  try {
    // Offsets such as +01:00 pass as names too in newer versions; they know nothing of summer.
    if (/^[A-Za-z]/.test(name))
      formatter = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  known.set(name, formatter);
  return formatter;
}

/** `Europe/Oslo` is one, `CEST`, `+01:00` and `Europe/Olso` are none. */
export const isTimeZone = (name: string): boolean => formatterOf(name) !== undefined;

/** Seconds east of UTC at that moment. @throws RangeError for no time zone */
export function offsetSeconds(timeZone: string, at: Date): number {
  const formatter = formatterOf(timeZone);
  if (formatter === undefined) throw new RangeError(`"${timeZone}" is no time zone of the IANA database.`);
  const text = formatter.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds));
}
