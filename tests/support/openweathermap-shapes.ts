/** The documented shapes of OpenWeatherMap's answers, strict: a field that the API does not know, or a null, fails. */
import * as z from 'zod';

const percent = z.number().min(0).max(100);
const probability = z.number().min(0).max(1);
const positive = z.number().positive();
const seconds = z.int().positive();
const degrees = z.int().min(0).max(359);
const coordinates = z.strictObject({
  lat: z.number().min(-90).max(90),
  lon: z.number().min(-180).max(180),
});

const condition = z.strictObject({
  id: z.int().min(200).max(804),
  main: z.string().min(1),
  description: z.string().min(1),
  icon: z.string().regex(/^(0[1-49]|1[013]|50)[dn]$/),
});
const conditions = z.array(condition).min(1).max(2);

const main = z.strictObject({
  temp: z.number(),
  feels_like: z.number(),
  temp_min: z.number(),
  temp_max: z.number(),
  pressure: z.int(),
  humidity: percent,
  sea_level: z.int(),
  grnd_level: z.int(),
});
const wind = z.strictObject({ speed: z.number().min(0), deg: degrees, gust: z.number().min(0).optional() });
const clouds = z.strictObject({ all: percent });
const visibility = z.int().min(0).max(10_000);
const fallen1h = z.strictObject({ '1h': positive });
const fallen3h = z.strictObject({ '3h': positive });
const sun = { sunrise: seconds.optional(), sunset: seconds.optional() };

const currentWeather = z.strictObject({
  coord: coordinates,
  weather: conditions,
  base: z.literal('stations'),
  main,
  visibility,
  wind,
  clouds,
  rain: fallen1h.optional(),
  snow: fallen1h.optional(),
  dt: seconds,
  sys: z.strictObject({ type: z.int(), id: z.int(), country: z.string().length(2), ...sun }),
  timezone: z.int(),
  id: z.int().positive(),
  name: z.string().min(1),
  cod: z.literal(200),
});

const forecastCity = z.strictObject({
  id: z.int().positive(),
  name: z.string().min(1),
  coord: coordinates,
  country: z.string().length(2),
  population: z.int().min(0),
  timezone: z.int(),
  ...sun,
});

const forecastOf = <Fallen extends z.ZodType>(fallen: Fallen, most: number) =>
  z.strictObject({
    cod: z.literal('200'),
    message: z.literal(0),
    cnt: z.int().min(1).max(most),
    list: z
      .array(
        z.strictObject({
          dt: seconds,
          main: main.extend({ temp_kf: z.number() }),
          weather: conditions,
          clouds,
          wind,
          visibility,
          pop: probability,
          rain: fallen.optional(),
          snow: fallen.optional(),
          sys: z.strictObject({ pod: z.enum(['d', 'n']) }),
          dt_txt: z.string().regex(/^\d{4}-\d\d-\d\d \d\d:00:00$/),
        }),
      )
      .min(1)
      .max(most),
    city: forecastCity,
  });

const dayTemperatures = {
  temp: z.strictObject({
    day: z.number(),
    min: z.number(),
    max: z.number(),
    night: z.number(),
    eve: z.number(),
    morn: z.number(),
  }),
  feels_like: z.strictObject({ day: z.number(), night: z.number(), eve: z.number(), morn: z.number() }),
};

const dailyForecast = z.strictObject({
  city: forecastCity.omit({ sunrise: true, sunset: true }),
  cod: z.literal('200'),
  message: z.number(),
  cnt: z.int().min(1).max(17),
  list: z
    .array(
      z.strictObject({
        dt: seconds,
        ...sun,
        ...dayTemperatures,
        pressure: z.int(),
        humidity: percent,
        weather: conditions,
        speed: z.number().min(0),
        deg: degrees,
        gust: z.number().min(0).optional(),
        clouds: percent,
        pop: probability,
        rain: positive.optional(),
        snow: positive.optional(),
      }),
    )
    .min(1)
    .max(17),
});

const find = z.strictObject({
  message: z.enum(['accurate', 'like']),
  cod: z.literal('200'),
  count: z.int().min(0).max(50),
  list: z.array(
    currentWeather
      .omit({ base: true, visibility: true, timezone: true, cod: true })
      .extend({ sys: z.strictObject({ country: z.string().length(2) }) }),
  ),
});

const figures = {
  dt: seconds,
  temp: z.number(),
  feels_like: z.number(),
  pressure: z.int(),
  humidity: percent,
  dew_point: z.number(),
  uvi: z.number().min(0).max(13),
  clouds: percent,
  visibility,
  wind_speed: z.number().min(0),
  wind_deg: degrees,
  wind_gust: z.number().min(0).optional(),
  weather: conditions,
};
const fallenFields = { rain: fallen1h.optional(), snow: fallen1h.optional() };
const moment = z.strictObject({ ...figures, ...sun, ...fallenFields });
const place = {
  lat: z.number().min(-90).max(90),
  lon: z.number().min(-180).max(180),
  timezone: z.string().min(1),
  timezone_offset: z.int(),
};

const { visibility: _visibility, temp: _temp, feels_like: _feelsLike, ...dayFigures } = figures;
const oneCall = z.strictObject({
  ...place,
  current: moment.optional(),
  minutely: z
    .array(z.strictObject({ dt: seconds, precipitation: z.number().min(0) }))
    .length(60)
    .optional(),
  hourly: z
    .array(z.strictObject({ ...figures, pop: probability, ...fallenFields }))
    .length(48)
    .optional(),
  daily: z
    .array(
      z.strictObject({
        ...dayFigures,
        ...dayTemperatures,
        ...sun,
        moonrise: seconds,
        moonset: seconds,
        moon_phase: z.number().min(0).max(1),
        summary: z.string().min(1),
        pop: probability,
        rain: positive.optional(),
        snow: positive.optional(),
      }),
    )
    .length(8)
    .optional(),
  alerts: z
    .array(
      z.strictObject({
        sender_name: z.string().min(1),
        event: z.string().min(1),
        start: seconds,
        end: seconds,
        description: z.string().min(1),
        tags: z.array(z.string()),
      }),
    )
    .min(1)
    .optional(),
});

const timeMachine = z.strictObject({ ...place, data: z.array(moment).length(1) });

const summarized = {
  lat: place.lat,
  lon: place.lon,
  tz: z.string().regex(/^[+-]\d\d:\d\d$/),
  date: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  units: z.enum(['standard', 'metric', 'imperial']),
};
const daySummary = z.strictObject({
  ...summarized,
  cloud_cover: z.strictObject({ afternoon: percent }),
  humidity: z.strictObject({ afternoon: percent }),
  precipitation: z.strictObject({ total: z.number().min(0) }),
  temperature: z.strictObject({
    min: z.number(),
    max: z.number(),
    afternoon: z.number(),
    night: z.number(),
    evening: z.number(),
    morning: z.number(),
  }),
  pressure: z.strictObject({ afternoon: z.int() }),
  wind: z.strictObject({ max: z.strictObject({ speed: z.number().min(0), direction: degrees }) }),
});
const overview = z.strictObject({ ...summarized, weather_overview: z.string().min(1) });

const history = z.strictObject({
  message: z.string(),
  cod: z.literal('200'),
  city_id: z.int().positive(),
  calctime: z.number(),
  cnt: z.int().min(0).max(169),
  list: z
    .array(z.strictObject({ dt: seconds, main, wind, clouds, weather: conditions, ...fallenFields }))
    .max(169),
});

const concentration = z.number().min(0);
const airPollution = z.strictObject({
  coord: coordinates,
  list: z.array(
    z.strictObject({
      main: z.strictObject({ aqi: z.int().min(1).max(5) }),
      components: z.strictObject({
        co: concentration,
        no: concentration,
        no2: concentration,
        o3: concentration,
        so2: concentration,
        pm2_5: concentration,
        pm10: concentration,
        nh3: concentration,
      }),
      dt: seconds,
    }),
  ),
});

const geocodedPlaces = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      local_names: z.record(z.string(), z.string()).optional(),
      lat: place.lat,
      lon: place.lon,
      country: z.string().length(2),
      state: z.string().optional(),
    }),
  )
  .max(5);

const zipPlace = z.strictObject({
  zip: z.string().min(1),
  name: z.string().min(1),
  lat: place.lat,
  lon: place.lon,
  country: z.string().length(2),
});

/** `cod` is the status; a number for 401, a string for every other refusal that a route gives. */
export const refusalShape = z.strictObject({
  cod: z.union([z.literal(401), z.enum(['400', '404'])]),
  message: z.string().min(1),
});

/** By path: the answer of status 200. The two paths that are switched off have none. */
export const answerShapes: Readonly<Record<string, z.ZodType>> = {
  '/data/2.5/weather': currentWeather,
  '/data/2.5/forecast': forecastOf(fallen3h, 40),
  '/data/2.5/forecast/hourly': forecastOf(fallen1h, 96),
  '/data/2.5/forecast/daily': dailyForecast,
  '/data/2.5/find': find,
  '/data/2.5/group': z.never(),
  '/data/2.5/box/city': z.never(),
  '/data/2.5/history/city': history,
  '/data/2.5/air_pollution': airPollution,
  '/data/2.5/air_pollution/forecast': airPollution,
  '/data/2.5/air_pollution/history': airPollution,
  '/data/2.5/onecall': oneCall,
  '/data/3.0/onecall': oneCall,
  '/data/3.0/onecall/timemachine': timeMachine,
  '/data/3.0/onecall/day_summary': daySummary,
  '/data/3.0/onecall/overview': overview,
  '/geo/1.0/direct': geocodedPlaces,
  '/geo/1.0/reverse': geocodedPlaces,
  '/geo/1.0/zip': zipPlace,
};
