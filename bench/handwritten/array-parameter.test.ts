import { expect, test } from 'vitest';
import { ArrayParameter, type ElementType } from './array-parameter.ts';

const bytesOf = (type: ElementType, values: readonly (number | string | null)[]): Buffer => {
  const parameter = new ArrayParameter(type);
  for (const value of values) parameter.push(value);
  return parameter.toBuffer();
};

/** The elements behind the header of twenty bytes, each with its length. */
const elementsOf = (bytes: Buffer): string => bytes.subarray(20).toString('hex');

test('the header names dimensions, NULLs, element type, size and lower bound', () => {
  expect(bytesOf('int4', [7, null]).subarray(0, 20).toString('hex')).toBe(
    '00000001' + '00000001' + '00000017' + '00000002' + '00000001',
  );
});

test('numbers are big-endian, a NULL has the length -1', () => {
  expect(elementsOf(bytesOf('int4', [7, null]))).toBe('00000004' + '00000007' + 'ffffffff');
  expect(elementsOf(bytesOf('float8', [1.5]))).toBe('00000008' + '3ff8000000000000');
  expect(elementsOf(bytesOf('int8', [2 ** 40 + 3]))).toBe('00000008' + '0000010000000003');
  expect(elementsOf(bytesOf('int8', [-1]))).toBe('00000008' + 'ffffffffffffffff');
});

test('an instant is microseconds since 2000', () => {
  const second = Date.UTC(2000, 0, 1, 0, 0, 1);
  expect(elementsOf(bytesOf('timestamptz', [second]))).toBe('00000008' + '00000000000f4240');
});

test('text is UTF-8, jsonb has its version in front', () => {
  expect(elementsOf(bytesOf('text', ['é']))).toBe('00000002' + 'c3a9');
  expect(elementsOf(bytesOf('jsonb', ['{}']))).toBe('00000003' + '017b7d');
});

test('it grows with what is put in', () => {
  const long = 'x'.repeat(100_000);
  expect(bytesOf('text', [long, long]).length).toBe(20 + 2 * (4 + 100_000));
});

test('an array without elements has no dimension', () => {
  expect(bytesOf('text', []).toString('hex')).toBe('00000000' + '00000000' + '00000019');
});
