/** Owns the reading of numbers out of a request's parameters. Places are `city-search.ts`'s. */
import { type Refused, textOf } from './city-search.ts';
import { wrongCountReply, wrongParameterReply } from './replies.ts';

/** Seconds of the years 1970 to 2200: what lies beyond is a mistake, such as milliseconds. */
const latestSeconds = 7_258_118_400;

/** A moment in Unix seconds; undefined when the parameter is absent. */
export function secondsOf(query: URLSearchParams, name: string): number | undefined | Refused {
  const text = textOf(query, name);
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= latestSeconds) return seconds;
  return { refusal: wrongParameterReply(name) };
}

/** A moment that must be given. */
export function requiredSecondsOf(query: URLSearchParams, name: string): number | Refused {
  return secondsOf(query, name) ?? { refusal: wrongParameterReply(name) };
}

interface CountRange {
  byDefault: number;
  most: number;
  /** What more than the most is: refused, or as good as the most. */
  above: 'refused' | 'cut';
}

/** The number of rows that `cnt` asks for. */
export function countOf(query: URLSearchParams, { byDefault, most, above }: CountRange): number | Refused {
  const text = textOf(query, 'cnt');
  if (text === undefined) return byDefault;
  const count = Number(text);
  const readable = /^\d+$/.test(text) && count >= 1 && (above === 'cut' || count <= most);
  return readable ? Math.min(count, most) : { refusal: wrongCountReply(most) };
}
