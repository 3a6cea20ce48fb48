import type { SqlTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { ActorRef } from '../access/actor-ref.ts'

/**
 * Whoever is kept here by an id, or a person whom an identity provider knows by it; null for an id of nobody, and for who is
 * deactivated.
 */
export async function findPerson(tx: SqlTransaction, id: string): Promise<ActorRef | null> {
  const found = await readPrincipal(tx, id)
  return found && !found.deactivated ? { id, kind: found.kind, name: found.name } : null
}

/** As {@link findPerson}. NOT_FOUND at `path` for an id of nobody, BAD_INPUT for an agent or an integration, or who is deactivated. */
export async function personOf(tx: SqlTransaction, id: string, path: string): Promise<ActorRef> {
  const person = await readPrincipal(tx, id)
  if (!person) return fail('NOT_FOUND', { path, message: 'There is no such person.' })
  if (person.kind !== 'person') fail('BAD_INPUT', { path, message: 'That is no person.' })
  if (person.deactivated) fail('BAD_INPUT', { path, message: 'They are deactivated.' })
  return { id, kind: person.kind, name: person.name }
}

async function readPrincipal(
  tx: SqlTransaction,
  id: string,
): Promise<{ kind: string; name: string; deactivated: boolean } | null> {
  if (!isId(id)) return { kind: 'person', name: id, deactivated: false }
  const [principal] = await tx.sql<{ kind: string; name: string; deactivated: boolean }>(
    `select kind, name, deactivated_at is not null as deactivated from principal
     where organization_id = $1::uuid and id = $2::uuid`,
    tx.actor.organizationId,
    id,
  )
  return principal ?? null
}
