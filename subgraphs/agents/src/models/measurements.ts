import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { createWindow, type NotedCall, type Window } from './model-window.ts'
import type { Measurement } from './route.ts'

const WINDOW_MS = 15 * 60_000
/** Other processes' calls count this soon. */
const TRUST_MS = 1_000
/** A call is written in one statement, which is over by then: what was looked at is looked at again for so long. */
const OVERLAP_MS = 10_000
const MOST_ROWS = 50_000
const KNOWN_ORGANIZATIONS = 2_000

/** What a process knows of the models' last 15 minutes, by organization. */
export interface Measurements {
  /** Of each model that was called, at `now` (milliseconds since 1970); what other processes called is read first. */
  of(actor: Actor, now: number): Promise<ReadonlyMap<string, Measurement>>
  /** A call that is under way counts as a request and its tokens until it is over: call the answer then. */
  starting(organizationId: string, modelId: string, tokens: number): () => void
  /** A call of this process, which has this id in the table. */
  note(organizationId: string, call: NotedCall & { id: string }): void
}

interface Known {
  windows: Map<string, Window>
  /** Ids that were counted, by when. */
  counted: Map<string, number>
  lookedAt: number | null
  looking: Promise<void> | undefined
}

type Row = Omit<NotedCall, 'at' | 'outUntil'> & { id: string; age: number; outMs: number | null }

const ofDatabase = new WeakMap<Database, Measurements>()

/** The measurements of this process. */
export function measurementsOf(database: Database): Measurements {
  const known = ofDatabase.get(database) ?? createMeasurements(database)
  ofDatabase.set(database, known)
  return known
}

/** Measurements that begin with what the table of calls holds; for a process, take {@link measurementsOf}. */
export function createMeasurements(database: Database): Measurements {
  const organizations = new Map<string, Known>()

  function knownOf(organizationId: string): Known {
    const known = organizations.get(organizationId)
    if (known) return known
    if (organizations.size >= KNOWN_ORGANIZATIONS) organizations.clear()
    const created: Known = { windows: new Map(), counted: new Map(), lookedAt: null, looking: undefined }
    organizations.set(organizationId, created)
    return created
  }

  function windowOf(known: Known, modelId: string): Window {
    const window = known.windows.get(modelId) ?? createWindow()
    known.windows.set(modelId, window)
    return window
  }

  function count(known: Known, call: NotedCall & { id: string }): void {
    if (known.counted.has(call.id)) return
    known.counted.set(call.id, call.at)
    windowOf(known, call.modelId).add(call)
  }

  async function look(known: Known, actor: Actor, now: number): Promise<void> {
    const back = known.lookedAt === null ? WINDOW_MS : Math.min(WINDOW_MS, now - known.lookedAt + OVERLAP_MS)
    // Ages, not times: the database's clock need not be this process's.
    const rows = await database.readTenant<Row>(
      actor,
      `select * from (select id, model_id as "modelId", input_tokens + output_tokens as tokens, latency_ms as "latencyMs",
         outcome, quality, extract(epoch from clock_timestamp() - created_at)::float8 * 1000 as age,
         extract(epoch from retry_at - clock_timestamp())::float8 * 1000 as "outMs"
       from model_call where organization_id = $1::uuid and created_at > clock_timestamp() - $2 * interval '1 ms'
         and cache_level = 'none'
       order by created_at desc limit ${MOST_ROWS}) newest order by age desc`,
      [actor.organizationId, back],
    )
    for (const { age, outMs, ...row } of rows)
      count(known, { ...row, at: now - age, outUntil: outMs === null ? null : now + outMs })
    known.lookedAt = now
    for (const [id, at] of known.counted) if (at < now - 3 * OVERLAP_MS) known.counted.delete(id)
  }

  return {
    async of(actor, now) {
      const known = knownOf(actor.organizationId)
      if (known.lookedAt === null || now - known.lookedAt >= TRUST_MS) {
        known.looking ??= look(known, actor, now).finally(() => {
          known.looking = undefined
        })
        await known.looking
      }
      const measured = new Map<string, Measurement>()
      for (const [id, window] of known.windows) measured.set(id, window.read(now))
      return measured
    },
    starting: (organizationId, modelId, tokens) =>
      windowOf(knownOf(organizationId), modelId).starting(tokens),
    note: (organizationId, call) => count(knownOf(organizationId), call),
  }
}
