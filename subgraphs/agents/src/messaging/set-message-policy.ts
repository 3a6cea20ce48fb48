import { actorRecord, type Database, type TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail, type Problem } from '@tutti/schema'
import { z } from 'zod'
import { isStorable } from '../configuration/find-unsafe-values.ts'
import type { Party } from './evaluate-policies.ts'
import { policyMemoryOf } from './policy-memory.ts'
import { POLICY_COLUMNS, type PolicyRow } from './policy-row.ts'

const MOST_POLICIES = 1_000
const text = z
  .string()
  .min(1)
  .max(200)
  .refine(isStorable, 'It must not hold the NUL character or half a character.')

const partySchema = z
  .object({
    domainId: z.string().nullish(),
    teamId: z.string().nullish(),
    agentId: z.string().nullish(),
    type: text.nullish(),
    capability: text.nullish(),
  })
  .refine(
    (party) => Object.values(party).filter((value) => value != null).length <= 1,
    'Say one of them, or none.',
  )

const inputSchema = z.object({
  name: text,
  effect: z.enum(['allow', 'deny']),
  priority: z.int().min(-1_000).max(1_000).nullish(),
  from: partySchema.nullish(),
  to: partySchema.nullish(),
})

/**
 * Says who may write to whom, or otherwise under a name that is there. NOT_FOUND when a domain, team or agent that it
 * names is not there; BAD_INPUT with every mistake; INVALID_STATE with 1,000 policies.
 */
export async function setMessagePolicy(
  { database }: { database: Database },
  actor: Actor,
  request: unknown,
): Promise<PolicyRow> {
  const { name, effect, priority, from, to } = parseInput(inputSchema, request)
  const [sender, recipient] = [partyOf(from ?? {}), partyOf(to ?? {})]
  const row = await database.inTenant(actor, async (tx) => {
    await requireParties(tx, { from: sender, to: recipient })
    const [count] = await tx.sql<{ many: boolean }>(
      `select count(*) >= ${MOST_POLICIES} as many from message_policy where organization_id = $1::uuid and name <> $2`,
      actor.organizationId,
      name,
    )
    if (count?.many)
      fail('INVALID_STATE', { path: 'input.name', message: `There are ${MOST_POLICIES} policies.` })
    const [policy] = await tx.sql<PolicyRow>(
      `insert into message_policy (organization_id, name, effect, priority, from_kind, from_value, to_kind, to_value, updated_by)
       values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)
       on conflict (organization_id, name) do update set effect = excluded.effect, priority = excluded.priority,
         from_kind = excluded.from_kind, from_value = excluded.from_value, to_kind = excluded.to_kind,
         to_value = excluded.to_value, updated_by = excluded.updated_by, updated_at = now()
       returning ${POLICY_COLUMNS}`,
      actor.organizationId,
      name,
      effect,
      priority ?? 0,
      sender.kind,
      sender.value,
      recipient.kind,
      recipient.value,
      JSON.stringify(actorRecord(actor)),
    )
    if (!policy) fail('INTERNAL')
    await tx.appendEvent({
      type: 'message_policy.changed',
      subject: `message_policy/${policy.id}`,
      data: { policyId: policy.id, name, change: 'set' },
    })
    return policy
  })
  policyMemoryOf(database).forget(actor.organizationId)
  return row
}

const KINDS = [
  ['domainId', 'domain'],
  ['teamId', 'team'],
  ['agentId', 'agent'],
  ['type', 'type'],
  ['capability', 'capability'],
] as const

function partyOf(given: z.output<typeof partySchema>): Party {
  for (const [field, kind] of KINDS) {
    const value = given[field]
    if (value != null) return { kind, value }
  }
  return { kind: 'any', value: '' }
}

async function requireParties(tx: TenantTransaction, parties: Record<'from' | 'to', Party>): Promise<void> {
  const problems: Problem[] = []
  for (const [side, { kind, value }] of Object.entries(parties)) {
    if (kind !== 'domain' && kind !== 'team' && kind !== 'agent') continue
    const where = { where: { id: value }, select: { id: true } }
    const find = {
      domain: () => tx.db.domain.findFirst(where),
      team: () => tx.db.team.findFirst(where),
      agent: () => tx.db.agent.findFirst(where),
    }
    const found = isId(value) ? await find[kind]() : null
    if (!found)
      problems.push({
        code: 'NOT_FOUND',
        path: `input.${side}.${kind}Id`,
        message: 'There is no such thing here.',
      })
  }
  const [first] = problems
  if (first) fail('NOT_FOUND', { path: first.path ?? 'input', problems })
}
