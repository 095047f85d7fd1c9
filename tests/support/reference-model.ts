/** The tables as they must be after a stream of records, in the simplest code: none of the product's SQL or rules is used. */

export interface ModelRecord {
  readonly cityId: number;
  readonly atSeconds: number;
  readonly measurements: Readonly<Record<string, number>>;
}

export interface ModelHour {
  readonly city_id: number;
  readonly window_start: Date;
  readonly observation_count: number;
  readonly first_observed_at: Date;
  readonly last_observed_at: Date;
  readonly [figure: string]: unknown;
}

/** The first record of each city and time, by city and time. */
export function modelObservations(records: readonly ModelRecord[]): ModelRecord[] {
  const first = new Map<string, ModelRecord>();
  for (const record of records) {
    const key = `${record.cityId}/${record.atSeconds}`;
    if (!first.has(key)) first.set(key, record);
  }
  return [...first.values()].sort((a, b) => a.cityId - b.cityId || a.atSeconds - b.atSeconds);
}

const FIGURES: Readonly<Record<string, string>> = {
  temp: 'temp',
  humidity: 'humidity',
  pressure: 'pressure',
  wind: 'wind_speed',
  clouds: 'clouds',
};

/** The hour of each city that has any record, by city and hour. */
export function modelHours(records: readonly ModelRecord[]): ModelHour[] {
  const groups = new Map<string, ModelRecord[]>();
  for (const record of modelObservations(records)) {
    const key = `${record.cityId}/${Math.floor(record.atSeconds / 3_600)}`;
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return [...groups.values()].map((group) => {
    const [{ cityId, atSeconds }] = group as [ModelRecord];
    const times = group.map((record) => record.atSeconds);
    const given = (name: string): number[] => group.flatMap(({ measurements }) => measurements[name] ?? []);
    const hour: Record<string, unknown> = {
      city_id: cityId,
      window_start: new Date(Math.floor(atSeconds / 3_600) * 3_600_000),
      observation_count: group.length,
      gust_max: extreme(given('wind_gust'), Math.max),
      rain_mm: overAll(given('rain_1h'), group.length),
      snow_mm: overAll(given('snow_1h'), group.length),
      first_observed_at: new Date(Math.min(...times) * 1_000),
      last_observed_at: new Date(Math.max(...times) * 1_000),
    };
    for (const [figure, name] of Object.entries(FIGURES)) {
      const values = given(name);
      hour[`${figure}_avg`] = overAll(values, values.length);
      hour[`${figure}_min`] = extreme(values, Math.min);
      hour[`${figure}_max`] = extreme(values, Math.max);
    }
    return hour as unknown as ModelHour;
  });
}

const overAll = (values: readonly number[], count: number): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / count;

const extreme = (values: readonly number[], which: (...values: number[]) => number): number | null =>
  values.length === 0 ? null : which(...values);
