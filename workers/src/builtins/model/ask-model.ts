import { z } from 'zod'
import { callProvider } from './call-provider.ts'
import type { ModelReply, ModelRequest, ModelSettings, TokenCount } from './model-request.ts'
import { readBySchema } from './read-reply.ts'

/** A question to a model whose answer has a schema. */
export interface ModelQuestion<T> extends Pick<
  ModelRequest,
  'instructions' | 'maxOutputTokens' | 'temperature' | 'cache' | 'signal'
> {
  /** Goes as JSON between marks the writer of it cannot know: material, never instructions. */
  readonly data: Record<string, unknown>
  readonly schema: z.ZodType<T>
}

/** A model's answer and what it cost. */
export interface ModelAnswer<T> extends Pick<ModelReply, 'model' | 'ms'> {
  readonly value: T
  readonly tokens: Pick<TokenCount, 'input' | 'output'>
}

/** Whom a question is put to. Rejects with `ModelError`. */
export type AskModel = <T>(question: ModelQuestion<T>) => Promise<ModelAnswer<T>>

/** A question as a call of a model. */
export function requestOf<T>({ schema, ...rest }: ModelQuestion<T>): ModelRequest {
  return { ...rest, schema: z.toJSONSchema(schema, { io: 'input' }) }
}

/** Asks a model once, without retrying. Rejects with ModelError, or with the signal's reason when the caller aborts. */
export async function askModel<T>(
  settings: ModelSettings,
  question: ModelQuestion<T>,
): Promise<ModelAnswer<T>> {
  const reply = await callProvider(settings, requestOf(question))
  return answerOf(reply, readBySchema(reply, question.schema))
}

/** What was read in a reply, with what it took. */
export function answerOf<T>({ model, tokens: { input, output }, ms }: ModelReply, value: T): ModelAnswer<T> {
  return { value, model, tokens: { input, output }, ms }
}

/** The one model of these settings. */
export const modelAt =
  (settings: ModelSettings): AskModel =>
  (question) =>
    askModel(settings, question)
