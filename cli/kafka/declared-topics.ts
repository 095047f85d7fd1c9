/** The topics that the pipelines declare, by name and by what each is for. */
import type { TopicDeclaration } from '../../clients/kafka.ts';
import { pipelines } from '../../pipelines/index.ts';
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

export const declaredTopics: readonly DeclaredTopic[] = Object.values(pipelines).flatMap((pipeline) =>
  (Object.keys(topicRoles) as Role[]).map((role) => ({
    ...pipeline.topics[role],
    role,
    pipeline,
    isRead: role === 'live' || role === 'repairs',
  })),
);

/** Thrown for a topic that no pipeline declares. */
class UndeclaredTopicError extends UsageError {
  constructor(name: string) {
    super(
      'UNDECLARED_TOPIC',
      `There is no topic "${name}"; there are: ${declaredTopics.map((topic) => topic.name).join(', ')}.`,
    );
  }
}

/** @throws UndeclaredTopicError */
export function topicNamed(name: string): DeclaredTopic {
  const topic = declaredTopics.find((each) => each.name === name || each.role === name);
  if (topic === undefined) throw new UndeclaredTopicError(name);
  return topic;
}
