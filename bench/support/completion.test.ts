import { expect, test } from 'vitest';
import { waitBeforeNextQuestion } from './completion.ts';

test('the questions come closer together as the end comes nearer, within bounds', () => {
  expect(waitBeforeNextQuestion(10_000, 500_000, 1_000_000)).toBe(2_500);
  expect(waitBeforeNextQuestion(20_000, 990_000, 1_000_000)).toBe(200);
  expect(waitBeforeNextQuestion(10_000, 10_000, 1_000_000)).toBe(5_000);
  expect(waitBeforeNextQuestion(500, 0, 1_000_000)).toBe(250);
});
