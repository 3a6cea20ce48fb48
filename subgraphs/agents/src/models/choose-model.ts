import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { knownRegistry } from './known-registry.ts'
import { measurementsOf } from './measurements.ts'
import { type Model, priceAt } from './model.ts'
import { route, type Routing } from './route.ts'
import type { RouterSettings } from './router-settings.ts'

const count = z.int().min(0).max(100_000_000).nullish()
const inputSchema = z.object({
  taskType: z.string().max(200).nullish(),
  capabilities: z.array(z.string().max(100)).max(50).nullish(),
  inputTokens: count,
  outputTokens: count,
  budgetUsd: z.number().min(0).max(1_000_000).nullish(),
  providers: z.array(z.string().max(100)).max(100).nullish(),
  priority: z.enum(['normal', 'high']).nullish(),
  models: z.array(z.string().max(400)).max(50).nullish(),
})

/** What a model is wanted for. */
export type ModelWish = z.input<typeof inputSchema>

/** What came of it. */
export interface ModelChoice {
  routing: Routing
  settings: RouterSettings
  /** All that the organization sees, by id. */
  models: ReadonlyMap<string, Model>
}

/**
 * Chooses a model by what is registered, set and measured now, and calls none. `models` are ids or names that count as
 * in use though the organization has not taken them: an agent's own. Models and settings may be `trustMs` old. BAD_INPUT
 * with every mistake.
 */
export async function chooseModel(
  { database }: { database: Database },
  actor: Actor,
  request: ModelWish,
  { trustMs = 0 }: { trustMs?: number } = {},
): Promise<ModelChoice> {
  const wish = parseInput(inputSchema, request)
  const now = Date.now()
  const [{ models, settings, tier }, measurements] = await Promise.all([
    knownRegistry({ database }, actor, trustMs),
    measurementsOf(database).of(actor, now),
  ])
  const at = new Date(now)
  const candidates = [...models.values()].map((model) => ({
    ...model,
    price: priceAt(model, at),
    status:
      model.status === 'known' && wish.models?.some((each) => each === model.id || each === model.name)
        ? ('active' as const)
        : model.status,
  }))
  const routing = route(
    {
      now,
      taskType: wish.taskType ?? 'default',
      capabilities: wish.capabilities ?? ['text'],
      inputTokens: wish.inputTokens ?? 1_000,
      outputTokens: wish.outputTokens ?? 500,
      budgetUsd: wish.budgetUsd ?? null,
      providers: wish.providers ?? null,
      priority: wish.priority ?? 'normal',
      tier,
    },
    candidates,
    measurements,
    settings,
  )
  return { routing, settings, models }
}
