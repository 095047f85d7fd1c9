/** Records that are no observations, each with what its dead letter must say. */

export interface Poison {
  readonly name: string;
  readonly value: Buffer | null;
  readonly reason: RegExp;
}

const seconds = (): number => Math.floor(Date.now() / 1_000);

/** Every kind once. Each would be an observation of city 666 if its fault were overlooked. */
export function poisons(): readonly Poison[] {
  const dt = seconds();
  const good = { id: 666, dt, main: { temp: 1 } };
  const text = (name: string, value: string, reason: RegExp): Poison => ({
    ...{ name, reason },
    value: Buffer.from(value),
  });
  const json = (name: string, value: unknown, reason: RegExp): Poison =>
    text(name, JSON.stringify(value), reason);
  const with_ = (name: string, change: object, reason: RegExp): Poison =>
    json(name, { ...good, ...change }, reason);
  const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  return [
    { name: 'no value', value: null, reason: /has no value/ },
    text('an empty value', '', /is empty/),
    text('blanks', '  \n ', /not JSON/),
    { name: 'bytes that are no UTF-8', value: Buffer.from([0xff, 0xfe, 0x00, 0x80]), reason: /not UTF-8/ },
    {
      name: 'a text that is no UTF-8 inside JSON',
      value: Buffer.concat([
        Buffer.from(`{"id":666,"dt":${dt},"main":{"temp":1},"name":"`),
        Buffer.from([0xc3, 0x28]),
        Buffer.from('"}'),
      ]),
      reason: /not UTF-8/,
    },
    text('plain text', 'the weather is fine', /not JSON/),
    text('XML', '<current><city id="666"/></current>', /not JSON/),
    text('a document cut short', `{"id":666,"dt":${dt},"main":{"temp":1`, /not JSON/),
    text('single quotes', `{'id':666,'dt':${dt},'main':{'temp':1}}`, /not JSON/),
    text('a trailing comma', `{"id":666,"dt":${dt},"main":{"temp":1},}`, /not JSON/),
    text('a comment', `// c\n{"id":666,"dt":${dt},"main":{"temp":1}}`, /not JSON/),
    text('a bare NaN', `{"id":666,"dt":${dt},"main":{"temp":NaN}}`, /not JSON/),
    text('JSON null', 'null', /document is null/),
    text('a number', '7', /document is 7/),
    text('a string', '"rain"', /document is "rain"/),
    text('an empty array', '[]', /document is \[\]/),
    text('an array of numbers', '[1,2]', /document is \[1,2\]/),
    text('an array of arrays', JSON.stringify([[good]]), /document is \[\[/),
    json('an empty object', {}, /"id" is missing/),
    with_('no id', { id: undefined }, /"id" is missing/),
    with_('id null', { id: null }, /"id" is missing/),
    with_('an id that is a word', { id: 'London' }, /"id" is "London"/),
    with_('an id that is an object', { id: { id: 666 } }, /"id" is {"id":666}/),
    with_('a fractional id', { id: 666.5 }, /"id" is 666.5/),
    with_('id zero', { id: 0 }, /"id" is 0/),
    with_('a negative id', { id: -666 }, /"id" is -666/),
    text(
      'an id beyond 2^53',
      `{"id":9223372036854775807,"dt":${dt},"main":{"temp":1}}`,
      /"id" is 9223372036854776000/,
    ),
    with_('id true', { id: true }, /"id" is true/),
    with_('no dt', { dt: undefined }, /"dt" is missing/),
    with_('a dt that is a date', { dt: '2026-01-01T00:00:00Z' }, /"dt" is "2026-01-01T00:00:00Z"/),
    with_('a fractional dt', { dt: dt + 0.5 }, /"dt" is \d+\.5/),
    with_('a dt in milliseconds', { dt: dt * 1_000 }, /after .*milliseconds/),
    text('a huge dt', `{"id":666,"dt":9000000000000000000,"main":{"temp":1}}`, /after/),
    text('a dt beyond all numbers', `{"id":666,"dt":1e999,"main":{"temp":1}}`, /"dt" is/),
    with_('a hugely negative dt', { dt: -9_000_000_000_000 }, /before 1900/),
    with_('a dt just before 1900', { dt: -2_208_988_801 }, /before 1900/),
    with_('a dt an hour from now', { dt: dt + 3_600 }, /time of publishing/),
    with_('no measurement', { main: undefined }, /no measurement/),
    with_('a measurement that is a word, and no other', { main: { temp: 'warm' } }, /no measurement.*"main"/),
    with_('a main that is a text, and no other', { main: 'cold' }, /no measurement.*"main" is "cold"/),
    with_('a main that is an array, and no other', { main: [1, 2] }, /no measurement/),
    with_('measurements that are null', { main: { temp: null }, visibility: null }, /no measurement/),
    with_('a NUL in the name', { name: 'Lon\u0000don' }, /"name" holds the NUL/),
    with_('a NUL in the country', { sys: { country: '\u0000' } }, /"sys.country" holds the NUL/),
    with_(
      'a NUL in a condition',
      { weather: [{ id: 800 }, { id: 801, description: 'a\u0000b' }] },
      /"weather" holds the NUL/,
    ),
    with_('a null among the conditions', { weather: [null] }, /"weather\[0\]" is null/),
    with_('a null behind a condition', { weather: [{ id: 800 }, null] }, /"weather\[1\]" is null/),
    with_('a name of a megabyte', { name: 'x'.repeat(1_000_000) }, /"name" has 1000000 characters/),
    with_(
      'conditions of a megabyte',
      { weather: [{ id: 800, description: 'x'.repeat(1_000_000) }] },
      /"weather" takes 10\d+ characters/,
    ),
    { name: 'a megabyte of nothing', value: Buffer.alloc(1_000_000), reason: /not JSON/ },
    text(
      'a document nested two thousand levels deep',
      `{"id":666,"dt":${dt},"main":{"temp":1},"x":${nested(2_000)}}`,
      /nested 2001 levels/,
    ),
  ];
}
