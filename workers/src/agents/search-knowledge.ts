import { searchArticles } from '@tutti/knowledge/domain'
import { z } from 'zod'
import { detectLanguage } from '../builtins/language/detect-language.ts'
import type { FoundArticle } from '../builtins/draft/index.ts'
import { type Executor, succeeded } from '../executors/executor.ts'
import { workerActor } from '../worker-services.ts'
import { customerMessage, intentClassification } from './step-input.ts'

const settingsSchema = z.object({ limit: z.number().int().min(1).max(20).default(3) })

/** Step 3: the articles that speak of it, by full text and trigrams, those with the intent as a tag first. */
export const searchKnowledge: Executor = async ({ services, task, agent }) => {
  const { limit } = settingsSchema.parse(agent.executor.settings)
  const text = customerMessage.parse(task.input['customer_message'])
  const intent = intentClassification
    .catch({ intent: null, confidence: 0 })
    .parse(task.input['intent_classification'])
  const hits = await searchArticles(services, workerActor(task.organizationId), {
    text,
    first: limit,
    language: detectLanguage(text).language,
    ...(intent.intent === null ? {} : { tags: [intent.intent] }),
  })
  const articles: FoundArticle[] = hits.map(({ article, score }) => ({
    id: article.externalId,
    title: article.title,
    body: article.body,
    language: article.language,
    tags: article.tags,
    intents: article.tags,
    score,
  }))
  // The intent goes on with the articles: the seed's next step is given no other way to know it.
  return succeeded({ articles, intent })
}
