/** The pipelines there are, an entry each; the first is the one that commands mean unless told. What is made of them is `index.ts`'s. */
import { inspectAirRecord } from './air-pollution/contract.ts';
import { airPollution } from './air-pollution/definition.ts';
import { createAirLineReader } from './air-pollution/file.ts';
import { createAirPollutionSource } from './air-pollution/source.ts';
import type { Pipeline } from './pipeline.ts';
import { inspectWeatherRecord } from './weather/contract.ts';
import { weather } from './weather/definition.ts';
import { createWeatherLineReader } from './weather/file.ts';
import { createWeatherSource } from './weather/source.ts';

export const registered: readonly Pipeline[] = [
  {
    definition: weather,
    inspect: inspectWeatherRecord,
    createSource: createWeatherSource,
    createLineReader: createWeatherLineReader,
  },
  {
    definition: airPollution,
    inspect: inspectAirRecord,
    createSource: createAirPollutionSource,
    createLineReader: createAirLineReader,
  },
];
