/** The contract of a record of the air: what `sql/flink/views/flattened-air.sql` lets through is what fits here. */
import type { Inspection } from '../../domain/record-accounts.ts';
import { at, inspectDocument, isNumber, named, type RawRecord } from '../record-document.ts';
import { measurements } from './measurements.ts';

export const inspectAirRecord = (record: RawRecord): Inspection =>
  inspectDocument(record, (document) => {
    if (measurements.some(({ path }) => isNumber(at(document, path)))) return undefined;
    const group = ['main', 'components'].find((name) => document[name] !== undefined);
    return group === undefined
      ? 'There is no measurement: neither main nor components.'
      : `There is no measurement: ${named(group, document[group]).replace('The field', 'the field')}, and no number is in any other.`;
  });
