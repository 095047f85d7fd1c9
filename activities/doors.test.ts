import { describe, expect, test, vi } from 'vitest';
import { ClosedDoorError, createDoorActivities } from './doors.ts';

const open = async (): Promise<string> => 'yes';

describe('the doors of a task queue', () => {
  test('are told with the build that asked', async () => {
    const { testDoors } = createDoorActivities('b1', { Kafka: open, PostgreSQL: open });
    expect(await testDoors()).toEqual({ buildId: 'b1', doors: ['Kafka', 'PostgreSQL'] });
  });

  test('that do not open are each named with their reason, and may open later', async () => {
    const closed = (reason: string) => async () => {
      throw new Error(reason);
    };
    const { testDoors } = createDoorActivities('b1', {
      Kafka: closed('refused'),
      PostgreSQL: open,
      Flink: closed('away'),
    });
    const error = await testDoors().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ClosedDoorError);
    expect(error).toMatchObject({ message: 'Kafka: refused Flink: away', retryable: true });
  });

  test('one that never answers is closed after eight seconds', async () => {
    vi.useFakeTimers();
    const { testDoors } = createDoorActivities('b1', { Kafka: () => new Promise(() => undefined) });
    const outcome = testDoors().catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(await outcome).toBe('Kafka: no answer within 8 s');
    vi.useRealTimers();
  });
});
