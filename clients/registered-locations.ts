/** The door to a pipeline's registry for whoever asks a source about the past, or reads records of it. */
import type { RegisteredLocation } from '../schemas/pipeline.ts';
import type { Queries } from './postgres.ts';

interface LocationRow extends Omit<RegisteredLocation, 'entityId'> {
  readonly entity_id: number;
}

/** By id, also of those that are no longer active. @param ids all locations when left out */
export async function registeredLocations(
  database: Queries,
  pipeline: string,
  ids?: readonly number[],
): Promise<ReadonlyMap<number, RegisteredLocation>> {
  const rows = await database.query<LocationRow>('registered-locations', [ids ?? null], pipeline);
  return new Map(rows.map(({ entity_id: entityId, ...rest }) => [entityId, { entityId, ...rest }]));
}
