import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { API_KEY_COLUMNS, API_KEY_TABLES, type ApiKeyRow } from './api-key-row.ts'
import { keepAnAdministrator } from './keep-an-administrator.ts'

/**
 * Takes a key back; again, it changes nothing. Events: credential.revoked. Audit: an execution. NOT_FOUND when it is
 * not one of this organization, INVALID_STATE when it is the last administrator's.
 */
export async function revokeApiKey(
  { database }: DomainServices,
  actor: Actor,
  { id }: { id: string },
): Promise<ApiKeyRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  return database.inTenant(actor, async (tx) => {
    const [revoked] = await keepAnAdministrator(tx, 'input.id', () =>
      tx.sql<{ prefix: string }>(
        `update api_key set revoked_at = now()
         where organization_id = $1::uuid and id = $2::uuid and revoked_at is null returning prefix`,
        actor.organizationId,
        id,
      ),
    )
    const [key] = await tx.sql<ApiKeyRow>(
      `select ${API_KEY_COLUMNS} from ${API_KEY_TABLES} where k.organization_id = $1::uuid and k.id = $2::uuid`,
      actor.organizationId,
      id,
    )
    if (!key) return fail('NOT_FOUND', { path: 'input.id' })
    if (!revoked) return key
    await tx.appendEvent({
      type: 'credential.revoked',
      subject: `apiKey/${id}`,
      data: { credentialId: id },
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `API key of ${key.principalName} taken back`,
      details: { context: { prefix: revoked.prefix }, outcome: 'revoked' },
      significance: 'significant',
      subject: `apiKey/${id}`,
      dataSubject: `person/${key.principalId}`,
    })
    return key
  })
}
