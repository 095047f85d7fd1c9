/** The pipelines there are, by name, and what the contract of each says of a record. */
import type { InspectRecord } from '../clients/record-accounts.ts';
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { inspectWeatherRecord } from './weather/contract.ts';
import { weather } from './weather/definition.ts';

export const pipelines: Readonly<Record<string, PipelineDefinition>> = { [weather.name]: weather };

export const contracts: Readonly<Record<string, InspectRecord>> = { [weather.name]: inspectWeatherRecord };
