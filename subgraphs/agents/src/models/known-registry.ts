import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { type ProviderBreakers, readProviderBreakers } from '../breaker/provider-breakers.ts'
import type { Model } from './model.ts'
import { readModels } from './read-models.ts'
import type { RouterSettings } from './router-settings.ts'
import { routerSettings } from './set-router-settings.ts'

const KNOWN_ORGANIZATIONS = 2_000

/** What a choice goes by besides measurements. */
export interface Registry {
  models: ReadonlyMap<string, Model>
  settings: RouterSettings
  tier: string
  breakers: ProviderBreakers
}

interface Known {
  registry: Promise<Registry>
  readAt: number
}

const ofDatabase = new WeakMap<Database, Map<string, Known>>()

/** An organization's models, settings and what it says of its providers' breakers, at most `trustMs` old. */
export function knownRegistry(
  { database }: { database: Database },
  actor: Actor,
  trustMs: number,
): Promise<Registry> {
  const organizations = ofDatabase.get(database) ?? new Map<string, Known>()
  ofDatabase.set(database, organizations)
  const now = performance.now()
  const before = organizations.get(actor.organizationId)
  if (before && now - before.readAt < trustMs) return before.registry
  if (organizations.size >= KNOWN_ORGANIZATIONS) organizations.clear()
  const registry = read(database, actor)
  organizations.set(actor.organizationId, { registry, readAt: now })
  registry.catch(() => organizations.delete(actor.organizationId))
  return registry
}

async function read(database: Database, actor: Actor): Promise<Registry> {
  const [models, rest, breakers] = await Promise.all([
    readModels({ database }, actor),
    routerSettings({ database }, actor),
    readProviderBreakers({ database }, actor),
  ])
  return { models, ...rest, breakers }
}
