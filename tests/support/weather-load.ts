/** A load for the live topic as a bad day brings it (new hours, late ones, repetitions, poison), and what must come of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { Kafka, logLevel, type Message, Partitioners } from 'kafkajs';
import type { MockWeather } from '../../mock/weather.ts';
import { type Poison, poisons } from './poison.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How old an observation is when it is published, in seconds: up to `most`, for a share of all. */
const AGES = [
  { share: 0.8, least: 0, most: 30 * MINUTE },
  { share: 0.12, least: HOUR, most: 30 * HOUR },
  { share: 0.08, least: 2 * DAY, most: 400 * DAY },
] as const;
const REPEATED_SHARE = 0.1;

export interface WeatherLoad {
  /** The first record of each (city, time): the truth. */
  readonly observations: ReadonlyMap<string, MockWeather>;
  /** By the record's key. */
  readonly poison: ReadonlyMap<string, Poison>;
  /** Every record, whatever it was. */
  readonly published: () => number;
  /** The next records, in the order in which they are to be published. From now on they belong to the truth. */
  next(count: number): Message[];
  nextPoison(): Message;
}

export interface WeatherLoadOptions {
  readonly firstCity: number;
  readonly cities: number;
}

export function createWeatherLoad({ firstCity, cities }: WeatherLoadOptions): WeatherLoad {
  const random = randomNumbers(20_260_101);
  const observations = new Map<string, MockWeather>();
  const inOrder: MockWeather[] = [];
  const poison = new Map<string, Poison>();
  let kinds: readonly Poison[] = [];
  let published = 0;

  const newObservation = (): MockWeather => {
    const age = agesAt(random());
    const dt = Math.floor(Date.now() / 1_000 - age.least - random() * (age.most - age.least));
    return weatherOf(firstCity + Math.floor(random() * cities), dt, random);
  };
  /** Half of the repetitions are the same record, half have other figures: those must lose. */
  const repetition = (): MockWeather | undefined => {
    const earlier = inOrder[Math.floor(random() * inOrder.length)];
    return earlier === undefined || random() < 0.5 ? earlier : weatherOf(earlier.id, earlier.dt, random);
  };

  return {
    observations,
    poison,
    published: () => published,
    next(count) {
      published += count;
      return Array.from({ length: count }, () => {
        const weather = (random() < REPEATED_SHARE ? repetition() : undefined) ?? newObservation();
        const key = `${weather.id}/${weather.dt}`;
        if (!observations.has(key)) {
          observations.set(key, weather);
          inOrder.push(weather);
        }
        return { key: String(weather.id), value: JSON.stringify(weather), headers: { source: 'mock' } };
      });
    },
    nextPoison() {
      published += 1;
      // Made anew for each round, because some kinds are measured against the time of publishing.
      if (kinds.length === 0 || poison.size % kinds.length === 0) kinds = poisons();
      const kind = kinds[poison.size % kinds.length] as Poison;
      const key = `poison ${poison.size}`;
      poison.set(key, kind);
      return { key, value: kind.value, headers: { source: 'mock' } };
    },
  };
}

export interface Publishing {
  /** @returns when the last record is acknowledged; throws what publishing threw */
  stop(): Promise<void>;
}

const TICK_MS = 100;
const TICKS_PER_POISON = 5;

/** Publishes about so many records a second until it is stopped, each acknowledged before the next batch. */
export async function publishSteadily(
  load: WeatherLoad,
  { brokers, topic, perSecond }: { brokers: readonly string[]; topic: string; perSecond: number },
): Promise<Publishing> {
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).producer({
    // Repeated requests must not change the order in which records of a city arrive.
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const stopping = new AbortController();
  const publish = async (): Promise<void> => {
    for (let tick = 0; !stopping.signal.aborted; tick += 1) {
      const startedAt = Date.now();
      await producer.send({ topic, messages: load.next((perSecond * TICK_MS) / 1_000) });
      if (tick % TICKS_PER_POISON === 0) await producer.send({ topic, messages: [load.nextPoison()] });
      await delay(Math.max(0, startedAt + TICK_MS - Date.now()));
    }
  };
  let failure: unknown;
  const done = publish().catch((error) => {
    failure = error;
  });
  return {
    async stop() {
      stopping.abort();
      await done;
      await producer.disconnect();
      if (failure !== undefined) throw failure;
    },
  };
}

function agesAt(place: number): (typeof AGES)[number] {
  let passed = 0;
  for (const age of AGES) {
    passed += age.share;
    if (place < passed) return age;
  }
  return AGES[0];
}

function weatherOf(id: number, dt: number, random: () => number): MockWeather {
  const between = (least: number, most: number): number =>
    Math.round((least + random() * (most - least)) * 100) / 100;
  const temp = between(-40, 45);
  return {
    coord: { lon: between(-180, 180), lat: between(-90, 90) },
    weather: [{ id: 500, main: 'Rain', description: 'light rain', icon: '10d' }],
    base: 'stations',
    main: {
      temp,
      feels_like: between(-50, 50),
      temp_min: temp - 1,
      temp_max: temp + 1,
      pressure: between(950, 1_050),
      humidity: Math.round(between(0, 100)),
      sea_level: between(950, 1_050),
      grnd_level: between(900, 1_000),
    },
    visibility: 10_000,
    wind: {
      speed: between(0, 30),
      deg: between(0, 360),
      ...(random() < 0.5 ? { gust: between(0, 60) } : {}),
    },
    clouds: { all: Math.round(between(0, 100)) },
    ...(random() < 0.3 ? { rain: { '1h': between(0, 20) } } : {}),
    dt,
    sys: { type: 1, id: 1, country: 'CA' },
    timezone: 0,
    id,
    name: `City ${id}`,
    cod: 200,
  };
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32), so that a failure comes again. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
