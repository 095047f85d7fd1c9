/** The topics of the pipelines that are run, by name and by what each is for. */
import type { TopicDeclaration } from '../../clients/kafka.ts';
import { loadConfig } from '../../config/load.ts';
import { pipelinesNamed } from '../../pipelines/index.ts';
import type { PipelineDefinition } from '../../schemas/pipeline.ts';
import { UsageError } from '../usage-error.ts';

type Role = keyof PipelineDefinition['topics'];

/** What each topic of a pipeline is for, in words. */
export const topicRoles: Readonly<Record<Role, string>> = {
  live: 'what ingestion publishes as it comes; the stream reads it',
  repairs: 'recent records that were missing; the stream reads it too',
  history: 'older history; batch jobs read it by offsets',
  deadLetters: 'answers that ingestion refused',
};

export interface DeclaredTopic extends TopicDeclaration {
  readonly role: Role;
  readonly pipeline: PipelineDefinition;
  /** Whether the pipeline's stream reads it. */
  readonly isRead: boolean;
}

/** In the order of `PIPELINES`. */
export const declaredTopics = (): readonly DeclaredTopic[] =>
  pipelinesNamed(loadConfig().values.PIPELINES).flatMap((pipeline) =>
    (Object.keys(topicRoles) as Role[]).map((role) => ({
      ...pipeline.topics[role],
      role,
      pipeline,
      isRead: role === 'live' || role === 'repairs',
    })),
  );

/** Thrown for a topic that no pipeline which is run declares. */
class UndeclaredTopicError extends UsageError {
  constructor(name: string, declared: readonly DeclaredTopic[]) {
    super(
      'UNDECLARED_TOPIC',
      `There is no topic "${name}"; there are: ${declared.map((topic) => topic.name).join(', ')}.`,
    );
  }
}

/** @throws UndeclaredTopicError */
export function topicNamed(name: string): DeclaredTopic {
  const declared = declaredTopics();
  const topic = declared.find((each) => each.name === name || each.role === name);
  if (topic === undefined) throw new UndeclaredTopicError(name, declared);
  return topic;
}
