import { type Actor, TuttiError } from '@tutti/schema'
import type pg from 'pg'
import type { Services } from '../context.ts'
import { type RunRequest, type StartedRun, startRuns } from '../runs/start-runs.ts'
import { chunkBySize } from './chunk-by-size.ts'

/** A firing whose run is to be started. */
export interface DueFiring {
  organizationId: string
  id: string
  triggerId: string
  /** Of its trigger. */
  name: string
  workflowId: string
  priority: number | null
  occurrence: string
  input: Record<string, unknown>
  firedBy: Pick<Actor, 'id' | 'kind' | 'name'> | null
  attempts: number
}

/** What became of one: a run, or why none can be, or (`later`) why not yet. */
export type FiringOutcome = { firing: DueFiring } & (
  | { runId: string }
  | { error: { code: string; message: string } }
  | { later: unknown }
)

/** After so many tries a firing is given up; the waits between them sum up to some two hours. */
const MOST_ATTEMPTS = 30
const AT_ONCE = 8

/**
 * Starts the runs of firings. It may be repeated, at once too: a firing's run bears its key, and is started once. What a
 * refusal of one does to others: nothing.
 */
export async function startFirings(
  services: Pick<Services, 'database' | 'wake'>,
  firings: readonly DueFiring[],
): Promise<FiringOutcome[]> {
  const alike = [...Map.groupBy(firings, (each) => JSON.stringify([each.triggerId, each.firedBy])).values()]
  const groups = alike.flatMap((each) => chunkBySize(each, ({ input }) => input))
  const outcomes: FiringOutcome[] = []
  for (let first = 0; first < groups.length; first += AT_ONCE) {
    const done = await Promise.all(
      groups.slice(first, first + AT_ONCE).map((group) => startGroup(services, group)),
    )
    outcomes.push(...done.flat())
  }
  return outcomes
}

async function startGroup(
  services: Pick<Services, 'database' | 'wake'>,
  group: readonly DueFiring[],
): Promise<FiringOutcome[]> {
  const [first] = group
  if (!first) return []
  try {
    const started = await startRuns(services, actorOf(first), group.map(requestOf), () => 'trigger')
    return group.map((firing, index) => outcomeOf(firing, started[index]))
  } catch (error) {
    if (group.length === 1) return [refused(first, error)]
    const each: FiringOutcome[] = []
    for (const firing of group) each.push(...(await startGroup(services, [firing])))
    return each
  }
}

function outcomeOf(firing: DueFiring, run: StartedRun | undefined): FiringOutcome {
  return run
    ? { firing, runId: run.id }
    : { firing, later: new Error('A run was neither started nor refused.') }
}

function refused(firing: DueFiring, error: unknown): FiringOutcome {
  const known = error instanceof TuttiError ? error : null
  if (known && !known.retryable) return { firing, error: { code: known.code, message: wordsOf(known) } }
  if (firing.attempts < MOST_ATTEMPTS) return { firing, later: error }
  const message =
    known?.message ?? 'The run could not be started for a failure on our side, tried again and again.'
  return { firing, error: { code: known?.code ?? 'INTERNAL', message } }
}

const wordsOf = ({ message, problems }: TuttiError): string =>
  [message, ...problems.slice(0, 10).map((problem) => problem.message)].join(' ').slice(0, 2_000)

function requestOf({ workflowId, input, triggerId, occurrence, priority }: DueFiring): RunRequest {
  return { workflowId, input, triggerId, priority, idempotencyKey: `trigger:${triggerId}:${occurrence}` }
}

/** Who starts the run: who fired it by hand, else the trigger itself. */
function actorOf({ organizationId, triggerId, name, firedBy }: DueFiring): Actor {
  const trigger = { id: `trigger:${triggerId}`, kind: 'system', name } as const
  return { organizationId, ...(firedBy ?? trigger), roles: [], scopes: ['runs:start'] }
}

/** Says in the process's log what could not be started yet, and why. */
export function tellLater({ log }: Pick<Services, 'log'>, outcomes: readonly FiringOutcome[]): void {
  for (const outcome of outcomes) {
    if (!('later' in outcome)) continue
    const { id, triggerId } = outcome.firing
    log.warn({ err: outcome.later, firing: id, trigger: triggerId }, 'a run was not started; tried again')
  }
}

/**
 * Records what became of firings; those to be tried later stay as they are. Events: trigger.fired, trigger.failed. A
 * repeat changes nothing.
 */
export async function settleFirings(
  client: Pick<pg.ClientBase, 'query'>,
  outcomes: readonly FiringOutcome[],
): Promise<void> {
  const settled = outcomes.flatMap((outcome) => {
    if ('later' in outcome) return []
    const { organizationId: o, id } = outcome.firing
    return [{ o, id, ...('runId' in outcome ? { run: outcome.runId } : { error: outcome.error }) }]
  })
  if (settled.length === 0) return
  await client.query(
    `with settled as (
       update trigger_firing f set status = case when x.run is null then 'failed' else 'started' end, run_id = x.run,
         error = x.error, due_at = null, input = null
       from jsonb_to_recordset($1::jsonb) as x(o uuid, id uuid, run uuid, error jsonb)
       where f.organization_id = x.o and f.id = x.id and f.status = 'pending' returning f.*
     )
     insert into log.event (organization_id, type, subject, actor, data, run_id)
     select s.organization_id, case when s.run_id is null then 'trigger.failed' else 'trigger.fired' end,
       'trigger/' || s.trigger_id,
       coalesce(log.event_actor(s.fired_by), jsonb_build_object('id', 'trigger:' || s.trigger_id, 'kind', 'system', 'name', t.name)),
       jsonb_build_object('triggerId', s.trigger_id, 'name', t.name, 'workflowId', t.workflow_id, 'firingId', s.id,
         'occurrence', s.occurrence)
         || case when s.run_id is null then jsonb_build_object('error', s.error)
            else jsonb_build_object('runId', s.run_id) end,
       s.run_id
     from settled s join trigger t on t.organization_id = s.organization_id and t.id = s.trigger_id order by s.id`,
    [JSON.stringify(settled)],
  )
}
