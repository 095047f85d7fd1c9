/** The tables of weather for a database of one test file, under whatever name its pipeline goes there. */
import type { TablesOf } from '../../clients/pipeline-tables.ts';
import { weather } from '../../pipelines/weather/definition.ts';

export const weatherTables: TablesOf = () => weather.tables;
