import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { weather } from '../pipelines/weather/definition.ts';
import { deadLetterWorld } from '../tests/support/dead-letter-world.ts';

const { live, repairs } = weather.topics;
const all = { all: true };
const again = { all: true, again: true };

describe('replaying dead letters', () => {
  test('publishes what is acceptable now, unchanged, under its entity and with where it came from', async () => {
    const world = deadLetterWorld(['good 7, with its bytes']);
    expect(await world.replay()).toEqual({ stored: 1 });
    expect(world.published).toEqual([
      {
        ...{ key: '7', value: Buffer.from('good 7, with its bytes') },
        headers: { source: 'mock', pipeline: 'weather', replay_of: `${live.name}/0/0` },
        ...{ topic: repairs.name, partition: 0, offset: 0 },
      },
    ]);
    expect(world.letters[0]?.replayedTo).toEqual({ topic: repairs.name, partition: 0, offset: 0 });
  });

  test('tells each outcome: of poison, of a duplicate, of two with one key, of what the stream passes over', async () => {
    const world = deadLetterWorld(['poison', null, 'good 1', 'good 2', 'good 2', 'good 3']);
    world.rows.set(1, { topic: live.name, partition: 0, offset: 99 });
    world.swallowed.add(3);
    expect(await world.replay()).toEqual({ refused: 2, duplicate: 2, stored: 1, lost: 1 });
    expect(world.outcomes()).toEqual(['refused', 'refused', 'duplicate', 'stored', 'duplicate', 'lost']);
    expect(world.letters.map(({ reason }) => reason)).toEqual([
      ...['It is "poison".', 'It is empty.', null, null, null],
      expect.stringContaining('made no row of it'),
    ]);
    expect(world.published.map(({ key }) => key)).toEqual(['2', '2', '3']);
  });

  test('a second time changes nothing, and with `again` takes only what was not stored', async () => {
    const world = deadLetterWorld(['poison', 'good 1', 'good 2']);
    world.swallowed.add(2);
    await world.replay();
    const before = world.letters.map((letter) => ({ ...letter }));
    await world.replay();
    expect(world.letters).toEqual(before);
    expect(world.published).toHaveLength(2);
    world.swallowed.clear();
    world.inspect = ({ value }) => ({
      ...{ kind: 'fits', observedAt: new Date(0) },
      entityId: Number(/\d+/.exec(String(value))?.[0] ?? 9),
    });
    expect(await world.replay(again)).toEqual({ stored: 3 });
    expect(world.published.map(({ key }) => key)).toEqual(['1', '2', '9', '2']);
  });

  test('selects by place', async () => {
    const world = deadLetterWorld(['good 1', 'good 2', 'good 3']);
    await world.replay({ topic: live.name, partition: 0, offset: 1 });
    expect(world.outcomes()).toEqual([null, 'stored', null]);
    await world.replay({ topic: repairs.name });
    expect(world.published).toHaveLength(1);
    await expect(world.replay({ topic: 'another' })).rejects.toThrow(
      `has no dead letters of a topic "another"; there are: ${live.name}, ${repairs.name}`,
    );
  });

  test('a copy that the stream passed over, dead again in the repairs topic, is not published again', async () => {
    const world = deadLetterWorld(['good 1']);
    const [letter] = world.letters;
    world.letters[0] = { ...letter!, topic: repairs.name, headers: { replay_of: `${live.name}/3/14` } };
    expect(await world.replay()).toEqual({ refused: 1 });
    expect(world.letters[0]?.reason).toContain(`${live.name}/3/14: replay that one`);
    expect(world.published).toEqual([]);
  });

  test('a record that the broker refuses by itself does not hold up the others', async () => {
    const large = `good 1${' '.repeat(2_100_000)}`;
    const world = deadLetterWorld([large, 'good 2']);
    expect(await world.replay()).toEqual({ refused: 1, stored: 1 });
    expect(world.letters[0]?.reason).toContain('it is too large');
  });

  test('of a pipeline that nobody knows is refused', async () => {
    const world = deadLetterWorld([]);
    await expect(world.publish({ pipeline: 'tides', all: true })).rejects.toThrow(
      'There is no pipeline "tides"',
    );
  });
});

describe('a stream that is away', () => {
  test('leaves its letters published and says so; a later replay completes them and publishes nothing', async () => {
    const world = deadLetterWorld(['good 1', 'poison']);
    world.isStreamAway = true;
    expect(await world.replay()).toEqual({ published: 1, refused: 1 });
    world.isStreamAway = false;
    expect(await world.replay()).toEqual({ stored: 1, refused: 1 });
    expect(world.published).toHaveLength(1);
  });
});

describe('an activity that is killed', () => {
  /** Throws the first time that this is asked. */
  const killOnce = (world: ReturnType<typeof deadLetterWorld>, at: string): void => {
    let isKilled = false;
    world.onAsk = (what) => {
      if (isKilled || what !== at) return;
      isKilled = true;
      throw new Error('killed');
    };
  };

  test('after publishing repeats harmlessly: one row, and the letter is stored by its first record', async () => {
    const world = deadLetterWorld(['good 1']);
    killOnce(world, 'record-dead-letter-outcomes published');
    await expect(world.publish()).rejects.toThrow('killed');
    expect(world.outcomes()).toEqual(['publishing']);
    expect(await world.replay()).toEqual({ stored: 1 });
    expect(world.published).toHaveLength(2);
    expect(world.rows.get(1)).toMatchObject({ offset: 0 });
  });

  test('after publishing finds its row when the stream was faster, and publishes nothing more', async () => {
    const world = deadLetterWorld(['good 1']);
    killOnce(world, 'record-dead-letter-outcomes published');
    await expect(world.publish()).rejects.toThrow('killed');
    world.stream();
    expect(await world.replay()).toEqual({ stored: 1 });
    expect(world.published).toHaveLength(1);
  });

  test('before publishing leaves nothing behind in Kafka', async () => {
    const world = deadLetterWorld(['good 1']);
    killOnce(world, 'publish');
    await expect(world.publish()).rejects.toThrow('killed');
    expect(await world.replay()).toEqual({ stored: 1 });
    expect(world.published).toHaveLength(1);
  });

  test('goes on behind the batch that it had done', async () => {
    const world = deadLetterWorld(['poison 0', 'poison 1', 'poison 2']);
    const { topic, partition } = world.letters[0]!;
    await world.publish(all, { topic, partition, offset: 1 });
    expect(world.outcomes()).toEqual([null, null, 'refused']);
  });

  test('at any points, as often as it likes: each acceptable key has one row, and each letter its outcome', async () => {
    const value = fc.oneof(
      fc.nat(4).map((id) => `good ${id}`),
      fc.constant('poison'),
    );
    const kills = fc.array(fc.nat(60), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 12 }), kills, async (values, killedAt) => {
        const world = deadLetterWorld(values);
        let asked = 0;
        world.onAsk = () => {
          asked += 1;
          if (killedAt.includes(asked)) throw new Error('killed');
        };
        let isDone = false;
        while (!isDone)
          isDone = await world.replay().then(
            () => true,
            () => false,
          );
        const acceptable = values.filter((each) => each !== 'poison');
        const ids = new Set(acceptable.map((each) => Number(each.slice(5))));
        expect(new Set(world.rows.keys())).toEqual(ids);
        const outcomes = world.outcomes();
        expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(ids.size);
        expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(
          acceptable.length - ids.size,
        );
        expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(
          values.length - acceptable.length,
        );
      }),
      { numRuns: 60 },
    );
  });
});
