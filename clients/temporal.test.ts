import type { Client } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { searchAttributes } from '../domain/search-attributes.ts';
import { ensureNamespace, SearchAttributesError } from './temporal.ts';

const KEYWORD = 2;
const INT = 3;
const NAMES = Object.values(searchAttributes).map(({ name }) => name);
const ALL = Object.fromEntries(NAMES.map((name) => [name, KEYWORD]));

interface Faults {
  /** What each registration of search attributes is refused with. */
  readonly refusal?: { readonly code: number; readonly details: string };
  /** So many searches are refused before the server knows the attributes. */
  unknownFor?: number;
}

/** A server with a namespace that has these search attributes, by their type's number. */
function serverWith(attributes: Readonly<Record<string, number>>, faults: Faults = {}) {
  const present: Record<string, number> = { ...attributes };
  const registrations: object[] = [];
  const searches: string[] = [];
  const client = {
    options: { namespace: 'ours' },
    workflowService: {
      registerNamespace: async () => {
        throw Object.assign(new Error('it exists'), { code: 6 });
      },
      listWorkflowExecutions: async () => ({}),
      listSchedules: async () => ({}),
    },
    connection: {
      operatorService: {
        listSearchAttributes: async () => ({ customAttributes: { ...present } }),
        addSearchAttributes: async (request: { searchAttributes: Record<string, number> }) => {
          registrations.push(request);
          if (faults.refusal) throw Object.assign(new Error('refused'), faults.refusal);
          Object.assign(present, request.searchAttributes);
        },
      },
    },
    workflow: {
      count: async (query: string) => {
        searches.push(query);
        const { unknownFor = 0 } = faults;
        faults.unknownFor = unknownFor - 1;
        if (unknownFor > 0) throw Object.assign(new Error('invalid search attribute'), { code: 3 });
        return { count: 0 };
      },
    },
  } as unknown as Client;
  return { client, registrations, searches };
}

const refusalOf = async (client: Client): Promise<SearchAttributesError> => {
  const error = await ensureNamespace(client).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SearchAttributesError);
  expect(error).toMatchObject({ code: 'SEARCH_ATTRIBUTES', retryable: false });
  return error as SearchAttributesError;
};

describe('the search attributes of a namespace', () => {
  test('are registered, all as keywords, when it has none', async () => {
    const { client, registrations } = serverWith({});
    await ensureNamespace(client);
    expect(registrations).toEqual([{ namespace: 'ours', searchAttributes: ALL }]);
  });

  test('are registered once: a second start asks for nothing', async () => {
    const { client, registrations } = serverWith({ TheirOwn: INT });
    await ensureNamespace(client);
    await ensureNamespace(client);
    expect(registrations).toHaveLength(1);
  });

  test('are completed when a newer version needs more of them', async () => {
    const { [NAMES[0]!]: _, ...others } = ALL;
    const { client, registrations } = serverWith(others);
    await ensureNamespace(client);
    expect(registrations).toEqual([{ namespace: 'ours', searchAttributes: { [NAMES[0]!]: KEYWORD } }]);
  });

  test('can be searched for, each of them, before anything is started', async () => {
    const { client, searches } = serverWith({}, { unknownFor: 2 });
    await ensureNamespace(client);
    expect(searches).toHaveLength(3);
    for (const name of NAMES) expect(searches[2]).toContain(`${name} = `);
  });

  test('of another type are refused, as the server itself would only refuse the workflows', async () => {
    const { client, registrations } = serverWith({ ...ALL, HourglassJob: INT });
    const { message } = await refusalOf(client);
    expect(message).toContain('HourglassJob is of type Int, not Keyword');
    expect(message).toContain('--name HourglassJob)');
    expect(registrations).toEqual([]);
  });

  test('that the server refuses are named, with its reason and the command that makes them', async () => {
    const refusal = { code: 7, details: 'only operators may.' };
    const { client } = serverWith({ ...ALL, HourglassState: KEYWORD }, { refusal });
    await expect(ensureNamespace(client)).resolves.toBeUndefined();
    const { HourglassState: _, ...others } = ALL;
    const { message } = await refusalOf(serverWith(others, { refusal }).client);
    expect(message).toMatch(/the server refuses HourglassState: only operators may\. Have them made/);
    expect(message).toContain('--namespace ours --name HourglassState --type Keyword)');
  });

  test('that another start has registered in the meantime are as good as our own', async () => {
    const { client, searches } = serverWith({}, { refusal: { code: 6, details: 'already exists' } });
    await ensureNamespace(client);
    expect(searches).toHaveLength(1);
  });
});
