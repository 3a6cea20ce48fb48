import type { TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail, SCOPES, scopesOf } from '@tutti/schema'
import { z } from 'zod'
import { behind } from '../access/behind.ts'
import { knownRoles } from '../access/effective-access.ts'
import { granting } from '../access/granting.ts'
import { requireLasting } from '../access/held-until.ts'
import { requireGrantable } from '../access/require-grantable.ts'
import { scopesOfGroup } from '../access/set-group.ts'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import { line } from '../input/text.ts'
import {
  IDENTITY_PROVIDER_COLUMNS,
  type IdentityProviderRow,
  type LoginServices,
  secretBelongsTo,
} from './identity-provider-row.ts'
import { MOST_PROVIDERS } from './list-identity-providers.ts'

const ROLES_OF_PEOPLE = ['admin', 'operator', 'approver', 'viewer'] as const
const role = z.enum(ROLES_OF_PEOPLE, { error: `One of ${ROLES_OF_PEOPLE.join(', ')}.` }).nullish()

const inputSchema = z.object({
  issuer: line(500).refine(isIssuer, 'An https URL without a query, as https://login.example.com.'),
  clientId: line(),
  clientSecret: z
    .string()
    .min(8, 'At least 8 characters.')
    .max(1_000, 'At most 1000 characters.')
    .regex(/^[\x21-\x7e]*$/, 'Printable ASCII without spaces.'),
  groupsClaim: line(100).nullish(),
  directoryClaim: line(100).nullish(),
  mapping: z
    .array(
      z
        .object({ claimed: line(), role, group: line(63).nullish() })
        .refine(({ role: given, group }) => (given == null) !== (group == null), {
          path: ['role'],
          message: 'One of role and group.',
        }),
    )
    .max(200, 'At most 200.')
    .nullish(),
  defaultRole: role,
})

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  if (username || password || search || hash) return false
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname))
}

/**
 * Lets people of an identity provider log in, or says anew how. The secret is wrapped by the KMS. Who sets it gets nothing by
 * it at their own login that they do not have, until somebody else has set it. Events:
 * identity_provider.set. Audit: an execution. BAD_INPUT with all mistakes, NOT_FOUND for a group that there is not,
 * FORBIDDEN for a role or group that grants what the caller does not have, and for a directoryClaim of who may not do all there
 * is; INVALID_STATE when there are too many.
 */
export async function setIdentityProvider(
  services: LoginServices,
  actor: Actor,
  given: unknown,
): Promise<IdentityProviderRow> {
  const input = parseInput(inputSchema, given)
  const { organizationId } = actor
  const mapping = input.mapping ?? []
  const { masterKey, wrapped } = await services.kms.wrap(
    Buffer.from(input.clientSecret),
    secretBelongsTo(organizationId, input.issuer),
  )
  return granting(services, actor, 'setIdentityProvider', async (tx) => {
    const roles = [input.defaultRole, ...mapping.map((each) => each.role)]
    requireGrantable(actor, scopesOf(knownRoles(roles)), 'input.mapping')
    // Such a provider says which of the directory's people somebody is, as the directory itself does.
    if (input.directoryClaim != null) requireGrantable(actor, ['access:provision'], 'input.directoryClaim')
    const ends = input.directoryClaim == null ? scopesOf(knownRoles(roles)) : SCOPES
    requireLasting(actor, [...ends, 'access:manage'], 'input')
    for (const [index, { group }] of mapping.entries()) {
      if (group != null) await requireGroup(tx, group, `input.mapping.${index}.group`)
    }
    const [provider] = await tx.sql<IdentityProviderRow>(
      `insert into identity_provider
         (organization_id, issuer, client_id, master_key, wrapped, groups_claim, mapping, default_role,
          directory_claim, set_by)
       select $1::uuid, $2, $3, $4, decode($5, 'base64'), $6, $7::jsonb, $8, $9,
         array(select jsonb_array_elements_text($10::jsonb))
       where (select count(*) from identity_provider where organization_id = $1::uuid and issuer <> $2) < ${MOST_PROVIDERS}
       on conflict (organization_id, issuer) do update set client_id = excluded.client_id,
         master_key = excluded.master_key, wrapped = excluded.wrapped, groups_claim = excluded.groups_claim,
         mapping = excluded.mapping, default_role = excluded.default_role,
         directory_claim = excluded.directory_claim, set_by = excluded.set_by, updated_at = now()
       returning ${IDENTITY_PROVIDER_COLUMNS}`,
      organizationId,
      input.issuer,
      input.clientId,
      masterKey,
      wrapped.toString('base64'),
      input.groupsClaim ?? 'groups',
      JSON.stringify(mapping),
      input.defaultRole ?? null,
      input.directoryClaim ?? null,
      JSON.stringify(behind(actor)),
    )
    if (!provider) {
      return fail('INVALID_STATE', {
        path: 'input.issuer',
        message: `An organization has at most ${MOST_PROVIDERS} identity providers.`,
        hint: 'removeIdentityProvider removes one.',
      })
    }
    const data = { providerId: provider.id, issuer: provider.issuer }
    await tx.appendEvent({
      type: 'identity_provider.set',
      subject: `identityProvider/${provider.id}`,
      data,
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `People of ${provider.issuer} may log in.`,
      details: {
        context: {
          ...data,
          clientId: provider.clientId,
          mapping,
          defaultRole: provider.defaultRole,
          directoryClaim: provider.directoryClaim,
        },
        outcome: 'set',
      },
      significance: 'significant',
      subject: `identityProvider/${provider.id}`,
    })
    return provider
  })
}

async function requireGroup(tx: TenantTransaction, name: string, path: string): Promise<void> {
  const [group] = await tx.sql<{ id: string; isDirectorys: boolean }>(
    `select id, directory_at is not null as "isDirectorys" from access_group
     where organization_id = $1::uuid and name = $2 for share`,
    tx.actor.organizationId,
    name,
  )
  if (!group) fail('NOT_FOUND', { path, message: 'There is no such group.', hint: 'setGroup makes one.' })
  if (group.isDirectorys) fail('INVALID_STATE', { path, message: 'The directory says who is in this group.' })
  const scopes = await scopesOfGroup(tx, group.id)
  requireGrantable(tx.actor, scopes, path)
  requireLasting(tx.actor, scopes, path)
}
