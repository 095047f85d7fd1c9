/** Owns which paths the mock answers, with which route, and what a key must hold to be let in. The routes are their own files'. */
import {
  airPollutionForecastRoute,
  airPollutionHistoryRoute,
  airPollutionRoute,
} from './air-pollution-routes.ts';
import { currentWeatherRoute } from './current-weather-route.ts';
import { dailyForecastRoute } from './daily-forecast-route.ts';
import { findRoute } from './find-route.ts';
import { forecastRoute, hourlyForecastRoute } from './forecast-routes.ts';
import { directGeocodingRoute, reverseGeocodingRoute, zipGeocodingRoute } from './geocoding-routes.ts';
import { historyRoute } from './history-route.ts';
import { daySummaryRoute, oneCallRoute, overviewRoute, timeMachineRoute } from './one-call-routes.ts';
import type { Route } from './route.ts';
import { switchedOffRoute } from './switched-off-route.ts';

/** What a path asks of a key: that it works, or that its plan holds the paid forecasts, the history or One Call. */
export type PlanNeed = 'key' | 'paid-forecast' | 'history' | 'one-call';

export interface MockRoute {
  answer: Route;
  needs: PlanNeed;
}

/**
 * Every path the mock knows. A new one is a file with its route, and a line here. One Call 2.5 is closed by now; it is
 * answered like 3.0, because client libraries still ask for it.
 */
export const routes: ReadonlyMap<string, MockRoute> = new Map<string, MockRoute>([
  ['/data/2.5/weather', { answer: currentWeatherRoute, needs: 'key' }],
  ['/data/2.5/forecast', { answer: forecastRoute, needs: 'key' }],
  ['/data/2.5/forecast/hourly', { answer: hourlyForecastRoute, needs: 'paid-forecast' }],
  ['/data/2.5/forecast/daily', { answer: dailyForecastRoute, needs: 'paid-forecast' }],
  ['/data/2.5/find', { answer: findRoute, needs: 'key' }],
  ['/data/2.5/group', { answer: switchedOffRoute, needs: 'key' }],
  ['/data/2.5/box/city', { answer: switchedOffRoute, needs: 'key' }],
  ['/data/2.5/history/city', { answer: historyRoute, needs: 'history' }],
  ['/data/2.5/air_pollution', { answer: airPollutionRoute, needs: 'key' }],
  ['/data/2.5/air_pollution/forecast', { answer: airPollutionForecastRoute, needs: 'key' }],
  ['/data/2.5/air_pollution/history', { answer: airPollutionHistoryRoute, needs: 'key' }],
  ['/data/2.5/onecall', { answer: oneCallRoute, needs: 'one-call' }],
  ['/data/3.0/onecall', { answer: oneCallRoute, needs: 'one-call' }],
  ['/data/3.0/onecall/timemachine', { answer: timeMachineRoute, needs: 'one-call' }],
  ['/data/3.0/onecall/day_summary', { answer: daySummaryRoute, needs: 'one-call' }],
  ['/data/3.0/onecall/overview', { answer: overviewRoute, needs: 'one-call' }],
  ['/geo/1.0/direct', { answer: directGeocodingRoute, needs: 'key' }],
  ['/geo/1.0/reverse', { answer: reverseGeocodingRoute, needs: 'key' }],
  ['/geo/1.0/zip', { answer: zipGeocodingRoute, needs: 'key' }],
]);
