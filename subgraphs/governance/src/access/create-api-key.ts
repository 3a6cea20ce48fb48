import { parseInput } from '@tutti/runtime'
import { type Actor, ROLES, SCOPES } from '@tutti/schema'
import { z } from 'zod'
import { writeAuditEntry } from '../audit/write-audit-entry.ts'
import type { DomainServices } from '../context.ts'
import { line } from '../input/text.ts'
import type { ApiKeyRow } from './api-key-row.ts'
import { granting } from './granting.ts'
import { writeApiKey } from './write-api-key.ts'

const inputSchema = z.object({
  principalName: line(),
  kind: z.enum(['person', 'agent', 'integration'], { error: 'One of person, agent, integration.' }).nullish(),
  roles: z
    .array(z.enum(ROLES, { error: `One of ${ROLES.join(', ')}.` }))
    .min(1, 'At least one role.')
    .max(ROLES.length, 'Each role once.'),
  scopes: z
    .array(z.enum(SCOPES, { error: (issue) => `There is no scope ${JSON.stringify(issue.input)}.` }))
    .min(1, 'At least one scope; leave it out for all that the roles grant.')
    .max(SCOPES.length, 'Each scope once.')
    .nullish(),
  expiresAt: z
    .date()
    .refine((date) => date.getTime() > Date.now(), 'Must be in the future.')
    .nullish(),
})

/**
 * Makes a key, and its principal when there is none of this name. The secret is in the answer and nowhere else. Audit:
 * an execution. CONFLICT when the principal has other roles; BAD_INPUT with all mistakes.
 */
export async function createApiKey(
  services: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<{ apiKey: ApiKeyRow; secret: string }> {
  const { principalName, kind, roles, scopes, expiresAt } = parseInput(inputSchema, input)
  return granting(services, actor, 'createApiKey', async (tx) => {
    const made = await writeApiKey(tx, {
      principalName,
      kind: kind ?? 'person',
      roles,
      expiresAt: expiresAt ?? null,
      scopes: scopes ?? [],
    })
    await writeAuditEntry(tx, {
      actionType: 'execution',
      domain: 'access',
      summary: `API key made for ${principalName}`,
      details: {
        context: {
          prefix: made.apiKey.prefix,
          roles,
          scopes: scopes ?? null,
          expiresAt: made.apiKey.expiresAt,
        },
        outcome: 'valid',
      },
      significance: 'significant',
      subject: `apiKey/${made.apiKey.id}`,
      dataSubject: `person/${made.apiKey.principalId}`,
    })
    return made
  })
}
