/**
 * Histories as JSON and back. The SDK's own functions fail when npm has installed protobufjs twice, as it does here; those of the
 * generated classes do not.
 */
import proto from '@temporalio/proto';

const { History } = proto.temporal.api.history.v1;
type History = proto.temporal.api.history.v1.IHistory;

export const historyAsJson = (history: History): string =>
  JSON.stringify(
    History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String }),
  );

export const historyFromJson = (json: string): History => History.fromObject(JSON.parse(json));
