import type { Database } from '@tutti/prisma'
import type pg from 'pg'
import type { LimitCounts, LimitScope } from './limit-rule.ts'

type Client = Pick<pg.ClientBase, 'query'>

/** A change by another process is noticed this soon, in milliseconds; by the own one at once. */
const TRUST_MS = 1_000

/** What a process remembers of limits, so that organizations without any cost nothing. */
export interface LimitMemory {
  /**
   * Organizations whose claims go by `findRoom`; the others are claimed freely. Asked by role worker, which sees all:
   * what the functions below say is as old as the last answer, and cautious before the first and after a change.
   */
  limitedOrganizations(client: Client): Promise<ReadonlySet<string>>
  /**
   * Whether a strand under way may go on to this agent's task (null: to one of the engine's own) without a claim. Where a
   * rate, a budget, or a limit of the agent concerns it, it may not. Other limits it counts in already.
   */
  mayContinueInPlace(organizationId: string, workflowId: string, agentId: string | null): boolean
  /** Whether a worker may keep new strands without a claim: branches and items, which no limit has counted yet. */
  mayTakeChildren(organizationId: string): boolean
  /** Organizations with limits on runs: after a run of theirs has ended, another may begin. */
  limitsRuns(organizationId: string): boolean
  /**
   * Whether a run of this workflow waits for its turn when it is started: it is then stored as queued, its main strand
   * ready and without a task, and its first claim decides. Asked within the starter's transaction.
   */
  startsInLine(client: Client, organizationId: string, workflowId: string): Promise<boolean>
  /** Limits of this organization have changed. */
  forget(): void
}

interface Known {
  /** Organizations by what they limit. */
  tasks: Set<string>
  runs: Set<string>
  /** `<organization>/` with a rate or a budget of everything, `<organization>/<workflow>` with a rate of its own. */
  paced: Set<string>
  /** `<organization>/<agent>` */
  agents: Set<string>
}

interface LimitColumns {
  organization_id: string
  scope: LimitScope
  subject: string
  counts: LimitCounts
  paced: boolean
}

const READ = `select organization_id, scope, subject, counts, counts = 'cost' or max_starts is not null as paced
  from engine_limit`

const nothing = (): Known => ({ tasks: new Set(), runs: new Set(), paced: new Set(), agents: new Set() })

export function createLimitMemory(now: () => number = () => performance.now()): LimitMemory {
  let known: Known | undefined
  let limited: ReadonlySet<string> = new Set()
  let readAt = -Infinity
  /** Grows with every change: what was read before it is not kept. */
  let changes = 0
  const lines = new Map<string, { workflows: ReadonlySet<string>; until: number }>()

  return {
    async limitedOrganizations(client) {
      if (now() - readAt < TRUST_MS) return limited
      const [at, seen] = [now(), changes]
      const { rows } = await client.query<LimitColumns>({ name: 'limit-read', text: READ })
      const read = summarize(rows)
      limited = read.tasks.union(read.runs)
      if (seen === changes) [known, readAt] = [read, at]
      return limited
    },

    mayContinueInPlace(organizationId, workflowId, agentId) {
      if (agentId === null) return true
      if (!known) return false
      if (!known.tasks.has(organizationId)) return true
      return !(
        known.paced.has(`${organizationId}/`) ||
        known.paced.has(`${organizationId}/${workflowId}`) ||
        known.agents.has(`${organizationId}/${agentId}`)
      )
    },

    mayTakeChildren: (organizationId) => known !== undefined && !known.tasks.has(organizationId),

    limitsRuns: (organizationId) => known?.runs.has(organizationId) ?? true,

    async startsInLine(client, organizationId, workflowId) {
      let line = lines.get(organizationId)
      if (!line || line.until < now()) {
        const seen = changes
        const { rows } = await client.query<{ subject: string }>({
          name: 'limit-lines',
          text: `select subject from engine_limit where organization_id = $1 and counts = 'runs'`,
          values: [organizationId],
        })
        line = { workflows: new Set(rows.map(({ subject }) => subject)), until: now() + TRUST_MS }
        if (lines.size > 10_000) lines.clear()
        if (seen === changes) lines.set(organizationId, line)
      }
      return line.workflows.has('') || line.workflows.has(workflowId)
    },

    forget() {
      changes += 1
      known = undefined
      readAt = -Infinity
      lines.clear()
    },
  }
}

function summarize(rows: readonly LimitColumns[]): Known {
  const known = nothing()
  for (const { organization_id: o, scope, subject, counts, paced } of rows) {
    if (counts === 'runs') known.runs.add(o)
    else known.tasks.add(o)
    if (scope === 'agent') known.agents.add(`${o}/${subject}`)
    // Which strands bear a key is not known here: a rate of one is looked at for everything of the organization.
    if (paced) known.paced.add(scope === 'workflow' ? `${o}/${subject}` : `${o}/`)
  }
  return known
}

const memories = new WeakMap<Database, LimitMemory>()

/** The one memory of limits of a database in this process. */
export function limitMemoryOf(database: Database): LimitMemory {
  const before = memories.get(database)
  if (before) return before
  const memory = createLimitMemory()
  memories.set(database, memory)
  return memory
}
