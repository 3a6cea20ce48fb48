import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { LIMIT_COLUMNS, type LimitRow, type LimitRule } from './limit-rule.ts'
import { limitsChanged } from './limits-changed.ts'
import { upsertLimits } from './replace-limits.ts'

const MOST = 1_000_000
const LONGEST_PERIOD = 31 * 86_400
const text = (most: number) =>
  z
    .string()
    .trim()
    .min(1, 'It is empty.')
    .max(most, `At most ${most} characters.`)
    .refine(
      (value) => value.isWellFormed() && !value.includes('\0'),
      'It holds a character that cannot be stored.',
    )
const bound = (most: number) => z.int().min(1, `From 1 to ${most}.`).max(most, `From 1 to ${most}.`).nullish()

const inputSchema = z
  .object({
    name: text(100),
    workflowId: z.string().nullish(),
    agentId: z.string().nullish(),
    key: text(200).nullish(),
    counts: z.enum(['tasks', 'runs', 'cost']).nullish(),
    maxRunning: bound(MOST),
    maxStarts: bound(MOST),
    perSeconds: bound(LONGEST_PERIOD),
  })
  .superRefine(({ workflowId, agentId, key, counts, maxStarts, perSeconds }, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    const subjects = Object.entries({ workflowId, agentId, key }).filter(([, value]) => value != null)
    for (const [path] of subjects.slice(1))
      wrong(path, 'A limit is about a workflow, an agent or a key, or, without any, about the organization.')
    if (counts === 'cost')
      wrong('counts', 'What a day may cost is set by applySettings, as daily_ai_budget_usd.')
    if (counts === 'runs') {
      for (const path of ['agentId', 'key'])
        if (subjects.some(([each]) => each === path))
          wrong(path, 'Runs are limited in the organization or in a workflow.')
      if (maxStarts != null) wrong('maxStarts', 'A rate is of tasks, not of runs.')
    }
    if ((maxStarts == null) !== (perSeconds == null))
      wrong(maxStarts == null ? 'maxStarts' : 'perSeconds', 'A rate has both: maxStarts and perSeconds.')
  })

/** A limit as a caller gives it. */
export interface LimitRequest {
  name: string
  workflowId?: string | null | undefined
  agentId?: string | null | undefined
  key?: string | null | undefined
  counts?: string | null | undefined
  maxRunning?: number | null | undefined
  maxStarts?: number | null | undefined
  perSeconds?: number | null | undefined
}

/**
 * Sets a limit; the one that was set by this name before is replaced. BAD_INPUT with every mistake; NOT_FOUND for an
 * unknown workflow or agent.
 */
export async function setLimit(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  request: LimitRequest,
): Promise<LimitRow> {
  const rule = toRule(parseInput(inputSchema, request))
  const row = await services.database.inTenant(actor, async (tx) => {
    const { organizationId } = actor
    if (rule.scope === 'workflow' || rule.scope === 'agent') {
      const [found] = await tx.sql(
        `select from ${rule.scope} where organization_id = $1::uuid and id = $2::uuid`,
        organizationId,
        rule.subject,
      )
      if (!found)
        fail('NOT_FOUND', { path: `input.${rule.scope}Id`, message: `There is no such ${rule.scope}.` })
    }
    await upsertLimits(tx, 'api', [rule])
    const [row] = await tx.sql<LimitRow>(
      `select ${LIMIT_COLUMNS} from engine_limit where organization_id = $1::uuid and source = 'api' and name = $2`,
      organizationId,
      rule.name,
    )
    if (!row) return fail('INTERNAL')
    const data = { limitId: row.id, name: row.name, change: 'set' } as const
    await tx.appendEvent({ type: 'limit.changed', subject: `limit/${row.id}`, data })
    return row
  })
  await limitsChanged(services, actor)
  return row
}

function toRule(input: z.output<typeof inputSchema>): LimitRule {
  const { name, workflowId, agentId, key, counts, maxRunning, maxStarts, perSeconds } = input
  const about = (scope: 'workflow' | 'agent', id: string) =>
    isId(id)
      ? { scope, subject: id }
      : fail('NOT_FOUND', { path: `input.${scope}Id`, message: `There is no such ${scope}.` })
  return {
    name,
    ...(workflowId != null
      ? about('workflow', workflowId)
      : agentId != null
        ? about('agent', agentId)
        : key != null
          ? { scope: 'key', subject: key }
          : { scope: 'organization', subject: '' }),
    counts: counts ?? 'tasks',
    perKey: null,
    maxRunning: maxRunning ?? (maxStarts == null ? 1 : null),
    rate: maxStarts != null && perSeconds != null ? { starts: maxStarts, perSeconds } : null,
    maxCostUsd: null,
  }
}
