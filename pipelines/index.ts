/** The pipelines there are, by name. */
import type { PipelineDefinition } from '../schemas/pipeline.ts';
import { weather } from './weather/definition.ts';

export const pipelines: Readonly<Record<string, PipelineDefinition>> = { [weather.name]: weather };
