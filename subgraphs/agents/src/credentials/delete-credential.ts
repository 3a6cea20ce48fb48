import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type { CredentialServices } from './data-key.ts'

/** Deletes a credential for good; answers with its id. Events: credential.deleted. NOT_FOUND when there is none. */
export async function deleteCredential(
  { database }: Pick<CredentialServices, 'database'>,
  actor: Actor,
  { id }: { id: string },
): Promise<string> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const [row] = await tx.sql<{ name: string }>(
      'delete from credential where organization_id = $1::uuid and id = $2::uuid returning name',
      actor.organizationId,
      id,
    )
    if (!row) fail('NOT_FOUND', { path: 'input.id' })
    const data = { credentialId: id, name: row.name }
    await tx.appendEvent({ type: 'credential.deleted', subject: `credential/${id}`, data })
    return id
  })
}
