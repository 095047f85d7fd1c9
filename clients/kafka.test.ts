import kafkajs from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { KafkaRequestError } from './kafka.ts';

const protocolError = (type: string, retriable: boolean): Error =>
  Object.assign(new kafkajs.KafkaJSProtocolError(new Error(type)), { type, retriable });
const isRetryable = (cause: unknown): boolean => new KafkaRequestError('read', cause).retryable;

describe('a failure of Kafka', () => {
  test.each([
    ['a leader that is not there yet', protocolError('LEADER_NOT_AVAILABLE', true)],
    ['a producer that a restarted broker does not know', protocolError('UNKNOWN_PRODUCER_ID', false)],
    ['a producer whose numbers it does not know', protocolError('OUT_OF_ORDER_SEQUENCE_NUMBER', false)],
    ['a reader that was held up for too long', protocolError('UNKNOWN_MEMBER_ID', false)],
    ['a group that has changed meanwhile', protocolError('ILLEGAL_GENERATION', false)],
    ['what is no error of the library', new Error('socket hang up')],
  ])('%s may be gone at the next try', (_, cause) => {
    expect(isRetryable(cause)).toBe(true);
  });

  test.each([
    ['a record that is too large', protocolError('MESSAGE_TOO_LARGE', false)],
    ['a topic that nobody may read', protocolError('TOPIC_AUTHORIZATION_FAILED', false)],
    ['a client that is used wrongly', new kafkajs.KafkaJSNonRetriableError(new Error('Invalid topic'))],
  ])('%s stays until somebody changes something', (_, cause) => {
    expect(isRetryable(cause)).toBe(false);
  });
});
