import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { ActorRef } from '../access/actor-ref.ts'

/** Whoever is kept here by an id, or a person whom an identity provider knows by it; null for an id of nobody. */
export async function findPerson(tx: TenantTransaction, id: string): Promise<ActorRef | null> {
  if (!isId(id)) return { id, kind: 'person', name: id }
  const [principal] = await tx.sql<{ kind: string; name: string }>(
    'select kind, name from principal where organization_id = $1::uuid and id = $2::uuid',
    tx.actor.organizationId,
    id,
  )
  return principal ? { id, ...principal } : null
}

/** As {@link findPerson}. NOT_FOUND at `path` for an id of nobody, BAD_INPUT for an agent or an integration. */
export async function personOf(tx: TenantTransaction, id: string, path: string): Promise<ActorRef> {
  const person = await findPerson(tx, id)
  if (!person) return fail('NOT_FOUND', { path, message: 'There is no such person.' })
  if (person.kind !== 'person') fail('BAD_INPUT', { path, message: 'That is no person.' })
  return person
}
