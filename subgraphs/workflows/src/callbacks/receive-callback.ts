import { setTimeout as pause } from 'node:timers/promises'
import { systemActor } from '@tutti/schema'
import type pg from 'pg'
import { z } from 'zod'
import { wakeStep } from '../board/end-claim.ts'
import type { Services } from '../context.ts'
import type { CoreEvent, RunStatus } from '../engine/core/index.ts'
import { type ReportClaim, readReportToken } from '../tasks/progress/report-token.ts'
import { readPayload } from '../triggers/read-payload.ts'
import { refusal, type WebhookAnswer, type WebhookCall } from '../triggers/webhook-answer.ts'

const ASKED_EVERY_MS = 50
/** An agent may be done before its 202 is written. */
const PATIENCE_MS = 2_000
const LONGEST_DELAY_MS = 86_400_000

const answerSchema = z.union([
  z.strictObject({ output: z.unknown(), costUsd: z.number().min(0).max(1_000_000).optional() }),
  z.strictObject({
    error: z.strictObject({
      code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/),
      message: z.string().max(2_000),
      retryable: z.boolean().default(false),
      retryAfterMs: z.int().min(0).max(LONGEST_DELAY_MS).optional(),
    }),
  }),
])

const UNKNOWN = refusal(404, 'NOT_FOUND', 'That is no token of a call.')
const OVER = refusal(410, 'STALE_LEASE', 'The attempt is over, or another one has begun; stop working on it.')

/** The step that waits for this very attempt. */
interface Waiting {
  strandId: string
  node: string
  versionId: string
  runStatus: RunStatus
}

/**
 * An HTTP agent that had answered 202 is done. The path is the `reportToken` of its call, which is proof enough; the body
 * is what it would have answered at once: `{output, costUsd}` or `{error}`. 200 with the task's id, also when it is said
 * again; 404 for what is no token, 410 when the attempt is over, 503 when the 202 is not written yet, 400 for another body.
 */
export async function receiveCallback(
  { database, wake, secret }: Pick<Services, 'database' | 'wake' | 'secret'>,
  call: WebhookCall,
): Promise<WebhookAnswer> {
  const claim = readReportToken(secret, call.path)
  if (!claim) return UNKNOWN
  const payload = readPayload(call)
  if ('status' in payload) return payload
  const answer = answerSchema.safeParse(payload.value)
  if (!answer.success)
    return refusal(
      400,
      'BAD_INPUT',
      'Send {"output": …} or {"error": {"code", "message", "retryable", "retryAfterMs"}}.',
    )
  const actor = systemActor(claim.organizationId, 'callback')
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const state = await database.transact(actor, async (client) => {
      const step = await lockWaiting(client, claim)
      if (!step) return stateOf(client, claim, 'output' in answer.data ? 'completed' : 'failed')
      await wakeStep(client, actor, step, eventOf(step, claim, answer.data))
      return 'taken'
    })
    if (state === 'taken') wake()
    if (state === 'taken' || state === 'done') return { status: 200, body: { taskId: claim.taskId } }
    if (state === 'over') return OVER
    if (performance.now() > until) return { ...EARLY, retryAfter: 1 }
    await pause(ASKED_EVERY_MS)
  }
}

const EARLY = refusal(503, 'UNAVAILABLE', 'The answer 202 is not written yet; say it again in a moment.')

function eventOf(
  { node }: Waiting,
  { attempt }: ReportClaim,
  answer: z.infer<typeof answerSchema>,
): CoreEvent {
  if ('error' in answer) {
    const { retryAfterMs, ...error } = answer.error
    return {
      type: 'task_failed',
      node,
      attempt,
      error: { ...error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    }
  }
  const { output, costUsd } = answer
  return {
    type: 'task_succeeded',
    node,
    attempt,
    output: output ?? null,
    ...(costUsd === undefined ? {} : { costUsd }),
  }
}

async function lockWaiting(client: pg.PoolClient, claim: ReportClaim): Promise<Waiting | undefined> {
  const { rows } = await client.query<Waiting>(
    `select s.id as "strandId", t.node_id as node, r.version_id as "versionId", r.status as "runStatus"
     from strand s
     join task t on t.organization_id = s.organization_id and t.id = s.task_id
     join run r on r.organization_id = s.organization_id and r.id = s.run_id
     where s.organization_id = $1 and s.id = $2 and s.task_id = $3 and s.status = 'waiting'
       and s.wait_key = 'worker:' || s.task_id and t.attempt = $4
     for key share of r for no key update of s`,
    [claim.organizationId, claim.strandId, claim.taskId, claim.attempt],
  )
  return rows[0]
}

/** `early`: the attempt has not begun to wait, or began since it was looked for; `done`: this was said before; `over`: it is another's turn, or nobody's. */
async function stateOf(
  client: pg.PoolClient,
  claim: ReportClaim,
  end: 'completed' | 'failed',
): Promise<'early' | 'done' | 'over'> {
  const { rows } = await client.query<{ state: 'early' | 'done' | 'over' }>(
    `select case
       when exists (select from strand s where s.organization_id = $1 and s.id = $2 and s.status = 'running'
         and (s.task_id = $3 or s.task_id is null) and s.fence <= $5::bigint + 1) then 'early'
       when exists (select from strand s join task t on t.organization_id = s.organization_id and t.id = s.task_id
         where s.organization_id = $1 and s.id = $2 and s.task_id = $3 and s.status = 'waiting'
           and s.wait_key = 'worker:' || s.task_id and t.attempt = $4) then 'early'
       when exists (select from task t where t.organization_id = $1 and t.id = $3 and t.attempt = $4
         and t.status = $6) then 'done'
       when exists (select from strand s where s.organization_id = $1 and s.id = $2 and s.task_id = $3
         and s.resume->>'attempt' = $4::text
         and s.resume->>'type' = case $6 when 'completed' then 'task_succeeded' else 'task_failed' end) then 'done'
       else 'over' end as state`,
    [claim.organizationId, claim.strandId, claim.taskId, claim.attempt, String(claim.fence), end],
  )
  return rows[0]?.state ?? 'over'
}
