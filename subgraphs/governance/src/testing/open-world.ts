import { openTail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog, type Kms, type RunningSubgraph } from '@tutti/runtime'
import type { Actor, EventRecord, Role } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { governance } from '../index.ts'

/** The subgraph over a database of its own, asked in GraphQL as the gateway does. */
export interface World extends DomainServices, AsyncDisposable {
  organization(): Promise<Actor>
  /** The fields asked for, and the error's code (null: none). */
  ask(actor: Actor | null, query: string, variables?: Record<string, unknown>): Promise<Answer>
  subscribe: RunningSubgraph['subscribe']
  /** Wraps secrets of identity providers. */
  kms: Kms
  /** As who owns the tables: what no role of the platform may do. */
  asOwner: TestDatabase['asOwner']
  /** The events of an organization so far, in order. */
  events(actor: Actor, type?: EventRecord['type']): Promise<{ type: string; data: Record<string, unknown> }[]>
  /** What was refused in an organization, as `operation/Mutation.reviewPolicy`, in order. */
  denials(actor: Actor): Promise<string[]>
}

export interface Answer {
  // Whatever was asked for: the tests compare it, nothing relies on its type.
  data: Record<string, Record<string, unknown>>
  code: string | null
  extensions: Record<string, unknown>
}

/** Opens a world; disposing drops its database. */
export async function openWorld(): Promise<World> {
  const world = await openTestDatabase()
  const tail = await openTail(world.database)
  const log = createLog('test', 'silent')
  const kms = createKms(world)
  const subgraph = bindSubgraph(governance, { database: world.database, tail, log, kms }, log)
  return {
    kms,
    database: world.database,
    organization: () => world.organization(),
    async ask(actor, query, variables = {}) {
      const { data, errors } = await subgraph.execute({ query, variables, actor })
      const extensions = errors?.[0]?.extensions ?? {}
      return {
        data: JSON.parse(JSON.stringify(data ?? {})),
        code: errors ? String(extensions['code']) : null,
        extensions,
      }
    },
    subscribe: subgraph.subscribe,
    asOwner: world.asOwner,
    events: (actor, type) =>
      world.database.readTenant(
        actor,
        'select type, data from log.event where organization_id = $1 and ($2::text is null or type = $2) order by seq',
        [actor.organizationId, type ?? null],
      ),
    denials: async (actor) =>
      (
        await world.database.readTenant<{ subject: string }>(
          actor,
          `select subject from audit_entry where organization_id = $1 and action_type = 'denial' order by id`,
          [actor.organizationId],
        )
      ).map(({ subject }) => subject),
    async [Symbol.asyncDispose]() {
      await tail[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    },
  }
}

/** A colleague of the actor in another role; several of a role differ by `id`. */
export function colleague(of: Actor, role: Role, id = `${role}-of-tests`): Actor {
  return { ...testActor(role, of.organizationId), id }
}
