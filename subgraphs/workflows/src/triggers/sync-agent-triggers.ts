import type { TenantTransaction } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type { Services } from '../context.ts'
import { applyWorkflow } from '../workflows/apply-workflow.ts'
import { problemOfPattern } from './event-type.ts'
import { tellChange } from './lock-trigger.ts'
import { nextTime } from './next-time.ts'
import { readSchedule } from './schedule.ts'
import { FACT_OF } from './trigger-row.ts'

/** A trigger that an agent's configuration asks for: five fields of a schedule in UTC, or a type of event. */
export type WantedTrigger = { kind: 'schedule'; cron: string } | { kind: 'event'; eventType: string }

/** What the triggers of an agent are to be. */
export interface AgentWishes {
  agentId: string
  agentName: string
  wanted: readonly WantedTrigger[]
}

const TIME_ZONE = 'UTC'

/**
 * Makes an agent's triggers what its configuration asks for: those that are wanted and not there begin from now on, those
 * that are not wanted any more are gone, the others stay as they are, paused ones too. Each starts a run of one step, the
 * agent's, in a workflow of the agent's own. Events: trigger.changed, and those of the workflow. A repeat changes nothing.
 * Answers with what cannot be a trigger, and why.
 */
export async function syncAgentTriggers(
  services: Pick<Services, 'database'>,
  actor: Actor,
  { agentId, agentName, wanted }: AgentWishes,
): Promise<{ wanted: WantedTrigger; problem: string }[]> {
  const { database } = services
  const refused = wanted.flatMap((each) => {
    const problem = problemOf(each)
    return problem === null ? [] : [{ wanted: each, problem }]
  })
  const possible = new Map(
    wanted.filter((each) => !refused.some((one) => one.wanted === each)).map((each) => [keyOf(each), each]),
  )
  const workflowId =
    possible.size === 0 ? null : (await applyWorkflow(services, actor, documentOf(agentName))).id
  await database.inTenant(actor, async (tx) => {
    await tx.sql('select pg_advisory_xact_lock(hashtextextended($1, 0))::text', `agent-triggers/${agentId}`)
    const there = await tx.sql<Existing>(
      `select id, name, workflow_id as "workflowId", kind, cron, event_type as "eventType" from trigger
       where organization_id = $1::uuid and agent_id = $2::uuid for update`,
      actor.organizationId,
      agentId,
    )
    for (const trigger of there) {
      if (possible.delete(`${trigger.kind}:${trigger.cron ?? trigger.eventType}`)) continue
      await tx.sql(
        'delete from trigger where organization_id = $1::uuid and id = $2::uuid returning id',
        actor.organizationId,
        trigger.id,
      )
      await tellChange(tx, trigger, 'deleted')
    }
    if (workflowId === null) return
    for (const each of possible.values()) await make(tx, each, { agentId, agentName, workflowId })
  })
  return refused
}

interface Existing {
  id: string
  name: string
  workflowId: string
  kind: string
  cron: string | null
  eventType: string | null
}

const valueOf = (wanted: WantedTrigger): string =>
  wanted.kind === 'schedule' ? wanted.cron : wanted.eventType
const keyOf = (wanted: WantedTrigger): string => `${wanted.kind}:${valueOf(wanted)}`

function problemOf(wanted: WantedTrigger): string | null {
  if (wanted.kind === 'event') return problemOfPattern(wanted.eventType)
  const read = readSchedule(wanted.cron, TIME_ZONE)
  return read.ok ? null : read.message
}

/** The agent sees what fired it, as `trigger`. */
const documentOf = (agent: string): string =>
  JSON.stringify({
    name: `agent: ${agent}`,
    description: `Starts the agent "${agent}" when its triggers fire.`,
    inputs: ['trigger'],
    steps: [{ name: 'work', agent, input: ['trigger'], output: 'result' }],
  })

const LONGEST_NAME = 200

async function make(
  tx: TenantTransaction,
  wanted: WantedTrigger,
  { agentId, agentName, workflowId }: { agentId: string; agentName: string; workflowId: string },
): Promise<void> {
  const { organizationId } = tx.actor
  const schedule = wanted.kind === 'schedule' ? { cron: wanted.cron, timeZone: TIME_ZONE } : null
  const name = `agent: ${agentName}: ${valueOf(wanted)}`.slice(0, LONGEST_NAME)
  // Somebody may have given a trigger of theirs this very name.
  const [row] = await tx.sql<{ id: string; name: string }>(
    `insert into trigger (organization_id, id, workflow_id, agent_id, name, kind, status, cron, time_zone, missed, next_at,
       event_type, expressions)
     select $1::uuid, x.id, $2::uuid, $3::uuid,
       case when exists (select from trigger t where t.organization_id = $1::uuid and t.name = $4) then $4 || ' ' || x.id
         else $4 end,
       $5, 'active', $6, $7, $8, $9::timestamptz, $10, $11::jsonb
     from (select uuidv7() as id) x returning id, name`,
    organizationId,
    workflowId,
    agentId,
    name,
    wanted.kind,
    schedule?.cron ?? null,
    schedule?.timeZone ?? null,
    schedule && 'once',
    schedule && (await nextTime(tx, schedule)),
    wanted.kind === 'event' ? wanted.eventType : null,
    JSON.stringify({ trigger: FACT_OF[wanted.kind] }),
  )
  if (row) await tellChange(tx, { ...row, workflowId }, 'created')
}
