import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type { DecisionRequest } from '../policies/decision-request.ts'
import type { MatchedPolicy } from '../policies/decide-policies.ts'
import { redact } from '../policies/redact.ts'
import type { Ruling } from './rule.ts'

/** Of an organization so many are kept, of the last days. */
const MOST_KEPT = 10_000
const KEPT_DAYS = 30
/** They are written together, this often. */
const PACE_MS = 500
const MOST_WAITING = 1_000
const MOST_CHARACTERS = 16_384
const WRITES_TO_A_CLEANING = 50
/** NUL, and half a surrogate pair, as JSON has them. */
const UNSTORABLE = /\\u(0000|d[89a-f])/

/** A decision as it is kept. */
export interface DecisionRecord {
  at: Date
  request: DecisionRequest
  ruling: Ruling
  reasons: readonly string[]
  policies: readonly MatchedPolicy[]
  redactions: readonly string[]
  authorityVersion: number
}

/** Decisions on their way into the table: no question waits for them. */
export interface DecisionLog {
  add(actor: Actor, record: DecisionRecord): void
  /** Writes what waits; what is being written is written too when it answers. */
  flush(): Promise<void>
}

const INSERT = `insert into policy_decision (organization_id, at, actor_id, action, request, ruling, reasons, policies,
    authority_version)
  select $1::uuid, r.at, r.actor_id, r.action, r.request::jsonb, r.ruling, r.reasons, r.policies, r.authority_version
  from jsonb_to_recordset($2::jsonb) as r (at timestamptz, actor_id text, action text, request text, ruling text,
    reasons jsonb, policies jsonb, authority_version int)`

const CLEAN = `delete from policy_decision where organization_id = $1::uuid and (at < now() - interval '${KEPT_DAYS} days'
  or id < (select id from policy_decision where organization_id = $1::uuid order by id desc offset ${MOST_KEPT} limit 1))`

function createDecisionLog(database: Database): DecisionLog {
  let waiting = new Map<string, { actor: Actor; rows: object[] }>()
  let count = 0
  let writes = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  function write(): Promise<void> {
    writing = writing.catch(() => undefined).then(writeWaiting)
    return writing
  }

  async function writeWaiting(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const batches = [...waiting.values()]
    waiting = new Map()
    count = 0
    for (const { actor, rows } of batches) {
      await database.transact(actor, async (client) => {
        await client.query(INSERT, [actor.organizationId, JSON.stringify(rows)])
        if (writes++ % WRITES_TO_A_CLEANING === 0) await client.query(CLEAN, [actor.organizationId])
      })
    }
  }

  return {
    add(actor, record) {
      // More than can be written are not kept: they are for trying policies, the record of what happened is the audit.
      if (count >= MOST_WAITING) return
      count += 1
      const batch = waiting.get(actor.organizationId) ?? { actor, rows: [] }
      batch.rows.push(rowOf(record))
      waiting.set(actor.organizationId, batch)
      timer ??= setTimeout(() => void write().catch(() => undefined), PACE_MS).unref()
    },
    flush: write,
  }
}

function rowOf({
  at,
  request,
  ruling,
  reasons,
  policies,
  redactions,
  authorityVersion,
}: DecisionRecord): object {
  return {
    at,
    actor_id: request.actor.id,
    action: request.action,
    request: storable(redactedRequest(request, redactions)),
    ruling,
    reasons,
    policies,
    authority_version: authorityVersion,
  }
}

/** Redactions speak of `$.arguments` and `$.resource`. */
function redactedRequest(request: DecisionRequest, redactions: readonly string[]): unknown {
  const { resource, context } = request
  const seen = redact({ resource, arguments: context.arguments }, redactions)
  if (typeof seen !== 'object' || seen === null || !('resource' in seen) || !('arguments' in seen))
    return request
  return { ...request, resource: seen.resource, context: { ...context, arguments: seen.arguments } }
}

/** As JSON. What PostgreSQL cannot store, and what is too large to keep, is `{ cut: true }`: it is not replayed. */
function storable(request: unknown): string {
  const text = JSON.stringify(request)
  return text.length > MOST_CHARACTERS || UNSTORABLE.test(text) ? '{"cut":true}' : text
}

const logs = new WeakMap<Database, DecisionLog>()

/** The one log of a database in this process. */
export function decisionLogOf(database: Database): DecisionLog {
  const before = logs.get(database)
  if (before) return before
  const log = createDecisionLog(database)
  logs.set(database, log)
  return log
}
