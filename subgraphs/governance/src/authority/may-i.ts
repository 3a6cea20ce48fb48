import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { requestOf } from './authorize.ts'
import { questionSchema } from './question-input.ts'
import { type Authorization, rule } from './rule.ts'
import { rulesMemoryOf } from './rules-memory.ts'

/** What the ruling would be for the caller; nothing is recorded. BAD_INPUT with all mistakes. */
export async function mayI(services: DomainServices, actor: Actor, input: unknown): Promise<Authorization> {
  const { resource, context, ...question } = parseInput(questionSchema, input)
  const request = requestOf(actor, {
    ...question,
    ...(resource ? { resource } : {}),
    ...(context ? { context } : {}),
  })
  return rule(await rulesMemoryOf(services.database).rulesOf(actor), request)
}
