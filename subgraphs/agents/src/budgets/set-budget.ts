import type { Database, TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { BUDGET_COLUMNS, type BudgetRow, type BudgetScope } from './budget-row.ts'

const MOST_USD = 10_000_000
const MOST = 1_000_000_000_000
const SUBJECTS = ['domainId', 'teamId', 'agentId', 'workflowId', 'runId'] as const
type Subject = (typeof SUBJECTS)[number]

/** Which subjects a scope has; those of runs and steps may be left out. */
const OF_SCOPE: Readonly<Record<BudgetScope, readonly Subject[]>> = {
  organization: [],
  domain: ['domainId'],
  team: ['teamId'],
  agent: ['agentId'],
  run: ['workflowId', 'runId'],
  step: ['workflowId', 'runId'],
}
const TABLES = {
  domainId: 'domain',
  teamId: 'team',
  agentId: 'agent',
  workflowId: 'workflow',
  runId: 'run',
} as const satisfies Record<Subject, string>

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
const count = z.int().min(0).max(MOST).nullish()

const inputSchema = z
  .object({
    name: text(100),
    scope: z.enum(['organization', 'domain', 'team', 'agent', 'run', 'step']).nullish(),
    domainId: z.string().nullish(),
    teamId: z.string().nullish(),
    agentId: z.string().nullish(),
    workflowId: z.string().nullish(),
    runId: z.string().nullish(),
    step: text(200).nullish(),
    window: z.enum(['day', 'total']),
    maxUsd: z
      .number()
      .min(0)
      .max(MOST_USD)
      .refine((usd) => Number(usd.toFixed(6)) === usd, 'At most six decimal places.')
      .nullish(),
    maxTokens: count,
    maxCalls: count,
    onBreach: z.enum(['cheaper_model', 'pause', 'stop']).nullish(),
  })
  .superRefine((input, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message })
    const { workflowId, runId, step } = input
    const scope = scopeOf(input)
    const has = OF_SCOPE[scope]
    for (const subject of SUBJECTS) {
      const given = input[subject] != null
      if (given && !has.includes(subject)) wrong(subject, `A budget of scope ${scope} has none.`)
      if (!given && has.length === 1 && has[0] === subject)
        wrong(subject, `A budget of scope ${scope} needs it.`)
    }
    if (has.includes('runId') && workflowId != null && runId != null)
      wrong('runId', 'It is about each run of a workflow or about one run, not both.')
    if (step != null && scope !== 'step') wrong('step', `A budget of scope ${scope} has none.`)
  })

/** What it is about, by what is named where it is not said. */
function scopeOf(
  input: Partial<Record<Subject | 'step', string | null>> & { scope?: BudgetScope | null },
): BudgetScope {
  if (input.scope) return input.scope
  if (input.domainId != null) return 'domain'
  if (input.teamId != null) return 'team'
  if (input.agentId != null) return 'agent'
  if (input.step != null) return 'step'
  return input.workflowId != null || input.runId != null ? 'run' : 'organization'
}

/** A budget as a caller gives it. */
export type BudgetRequest = Omit<z.input<typeof inputSchema>, 'scope' | 'window' | 'onBreach'> &
  Record<'window', string> &
  Partial<Record<'scope' | 'onBreach', string | null>>

/**
 * Sets a budget; the one of this name before is replaced. What is used of it stays, unless it is about something else now.
 * Events: budget.changed. BAD_INPUT with every mistake; NOT_FOUND for what it is about.
 */
export async function setBudget(
  { database }: { database: Database },
  actor: Actor,
  request: BudgetRequest,
): Promise<BudgetRow> {
  const input = parseInput(inputSchema, request)
  const { organizationId } = actor
  return database.inTenant(actor, async (tx) => {
    for (const subject of SUBJECTS) await mustExist(tx, subject, input[subject])
    const [before] = await tx.sql<{ about: string }>(
      `select ${ABOUT} as about from budget where organization_id = $1::uuid and name = $2 for update`,
      organizationId,
      input.name,
    )
    const [set] = await tx.sql<BudgetRow & { about: string }>(
      `insert into budget (organization_id, name, scope, domain_id, team_id, agent_id, workflow_id, run_id, step, "window",
         max_usd, max_tokens, max_calls, on_breach)
       values ($1::uuid, $2, $3, $4::uuid, $5::uuid, $6::uuid, $7::uuid, $8::uuid, $9, $10, $11::numeric, $12::bigint,
         $13::bigint, $14)
       on conflict (organization_id, name) do update set scope = excluded.scope, domain_id = excluded.domain_id,
         team_id = excluded.team_id, agent_id = excluded.agent_id, workflow_id = excluded.workflow_id,
         run_id = excluded.run_id, step = excluded.step, "window" = excluded."window", max_usd = excluded.max_usd,
         max_tokens = excluded.max_tokens, max_calls = excluded.max_calls, on_breach = excluded.on_breach,
         updated_at = clock_timestamp()
       returning ${BUDGET_COLUMNS}, ${ABOUT} as about`,
      organizationId,
      input.name,
      scopeOf(input),
      input.domainId ?? null,
      input.teamId ?? null,
      input.agentId ?? null,
      input.workflowId ?? null,
      input.runId ?? null,
      input.step ?? null,
      input.window,
      input.maxUsd?.toFixed(6) ?? null,
      input.maxTokens == null ? null : BigInt(input.maxTokens),
      input.maxCalls == null ? null : BigInt(input.maxCalls),
      input.onBreach ?? 'stop',
    )
    if (!set) return fail('INTERNAL')
    const { about, ...budget } = set
    if (before && before.about !== about)
      await tx.sql(
        'delete from budget_use where organization_id = $1::uuid and budget_id = $2::uuid',
        organizationId,
        budget.id,
      )
    const data = { budgetId: budget.id, name: budget.name, change: 'set' } as const
    await tx.appendEvent({ type: 'budget.changed', subject: `budget/${budget.id}`, data })
    return budget
  })
}

/** What a budget is about, as a text to compare. */
const ABOUT = `jsonb_build_array(scope, domain_id, team_id, agent_id, workflow_id, run_id, step, "window")::text`

async function mustExist(
  tx: TenantTransaction,
  subject: Subject,
  id: string | null | undefined,
): Promise<void> {
  if (id == null) return
  const table = TABLES[subject]
  const [found] = isId(id)
    ? await tx.sql(
        `select id from ${table} where organization_id = $1::uuid and id = $2::uuid`,
        tx.actor.organizationId,
        id,
      )
    : []
  if (!found) fail('NOT_FOUND', { path: `input.${subject}`, message: `There is no such ${table}.` })
}
