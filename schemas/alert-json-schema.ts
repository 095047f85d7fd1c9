/**
 * The JSON Schema of an alert for those who receive it, made from `alert.ts`. It stands in `docs/contract/alert.schema.json`,
 * which `npm run docs:contract` writes.
 */
import { z } from 'zod';
import { alertSchema } from './alert.ts';

/** Draft 2020-12. Fields may be added to it, never taken away or changed in meaning, so others are allowed. */
export function alertJsonSchema(): z.core.JSONSchema.JSONSchema {
  const {
    $schema,
    additionalProperties: _,
    ...shape
  } = z.toJSONSchema(alertSchema, {
    override({ jsonSchema }) {
      // Beside the format, zod's pattern for times says nothing that a person could read.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  });
  return {
    ...($schema === undefined ? {} : { $schema }),
    $id: 'urn:hourglass:schema:alert.v1',
    title: 'An alert',
    description: 'The body of each POST to ALERT_WEBHOOK_URL. docs/alerts.md has the whole contract.',
    ...shape,
  };
}
