/** What a pipeline brings: its definition, and the code that asks its source and judges its records. */
import type { LineReaderOptions, ReadLine } from '../clients/observation-file.ts';
import type { OpenWeatherMapOptions } from '../clients/openweathermap.ts';
import type { InspectRecord } from '../clients/record-accounts.ts';
import type { CallLimits } from '../domain/call-budget.ts';
import type { PipelineDefinition, PipelineSource } from '../schemas/pipeline.ts';

export interface Pipeline {
  readonly definition: PipelineDefinition;
  readonly inspect: InspectRecord;
  /** @param api address and key of OpenWeatherMap, for those that ask it */
  createSource(api: OpenWeatherMapOptions): PipelineSource;
  /** What its source allows, where that is not OpenWeatherMap, whose key all others share. */
  readonly limits?: CallLimits;
  /** Absent when no file can be loaded. */
  readonly createLineReader?: (options: LineReaderOptions) => ReadLine;
}
