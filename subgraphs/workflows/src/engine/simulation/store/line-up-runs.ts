import { chooseRuns, type RunLimit } from '../../../limits/choose-runs.ts'
import { isRunOver } from '../../core/index.ts'
import { type Limit, type Run, type Strand, type Tables, moment } from '../tables.ts'

/**
 * The transactions of `limits/line-up-runs.ts` and `limits/release-queued-runs.ts`, part by part: runs above a limit wait
 * for their turn. Who lets runs begin locks the limits, so that it is one act. The choice is the real one.
 */
export interface LineRules {
  /** Main strands that are held until their run's turn comes. */
  linedUp(db: Tables, strands: readonly Strand[]): Strand[]
  /** Runs under way, or let begin. */
  counted(db: Tables): Run[]
}

const LINES: readonly (string | null)[] = ['slot', 'slot:sub']
const TAKEN = 'slot:taken'

export const LINE: LineRules = {
  linedUp: (db, strands) =>
    strands.filter(({ run_id, workflow_id }) => {
      const depth = db.run.get(run_id)?.depth ?? 0
      return runLimits(db).some((limit) =>
        limit.of === 'organization' ? depth === 0 : limit.workflowId === workflow_id,
      )
    }),

  counted: (db) =>
    [...db.run.values()].filter(({ id, status }) => {
      if (isRunOver(status)) return false
      const key = mainStrand(db, id)?.wait_key ?? null
      if (status === 'queued') return key === TAKEN
      return status !== 'paused' || !LINES.includes(key)
    }),
}

/** Whether it is the main strand of a run that would begin, and has not been let. */
export const begins = ({ status, parent_id, task_id, wait_key }: Strand): boolean =>
  status === 'ready' && parent_id === null && task_id === null && wait_key !== TAKEN

/** Whether a strand is held because of a limit on runs. */
export const isInLine = ({ status, wait_key }: Strand): boolean =>
  status === 'held' && LINES.includes(wait_key)

/** Makes runs wait for their turn that a limit concerns, and lets begin whose turn it is; answers with the former. */
export function lineUpRuns(db: Tables, rules: LineRules, strands: readonly Strand[]): Set<string> {
  const lined = rules.linedUp(db, strands)
  for (const { id, run_id } of lined) {
    const wait_key = db.run.get(run_id)?.depth === 0 ? 'slot' : 'slot:sub'
    db.strand.update(id, { status: 'held', due_at: null, wait_key })
  }
  db.endStatement()
  if (lined.length > 0) releaseQueuedRuns(db, rules)
  return new Set(lined.map(({ id }) => id))
}

/** Lets runs begin whose turn it is; answers with how many. */
export function releaseQueuedRuns(db: Tables, rules: LineRules): number {
  const chosen = waitingFor(db, rules)
  for (const { strandId } of chosen) {
    const s = db.strand.get(strandId)
    const r = s && db.run.get(s.run_id)
    if (r) db.strand.update(strandId, { status: 'ready', wait_key: TAKEN, due_at: moment(r.created_at) })
  }
  db.endStatement()
  return chosen.length
}

/** Runs in line whose turn it is. */
export function waitingFor(db: Tables, rules: LineRules): { strandId: string; runId: string }[] {
  const waiting = [...db.strand.values()].flatMap((s) => {
    const r = db.run.get(s.run_id)
    if (!isInLine(s) || r?.status !== 'queued') return []
    const { workflow_id: workflowId, limit_key: limitKey } = s
    return [{ runId: r.id, strandId: s.id, workflowId, limitKey, depth: r.depth, place: r.created_at }]
  })
  if (waiting.length === 0) return []
  const counted = rules.counted(db)
  const inOrder = waiting.toSorted((a, b) => a.place - b.place || (a.strandId < b.strandId ? -1 : 1))
  return chooseRuns(inOrder, runLimits(db), {
    organization: counted.filter(({ depth }) => depth === 0).length,
    workflows: new Map(
      [...Map.groupBy(counted, (run) => run.workflow_id)].map(([id, runs]) => [id, runs.length]),
    ),
    keys: new Map(),
  })
}

/** `startsInLine`: whether a run of this workflow waits for its turn when it is started. */
export const startsInLine = (db: Tables, workflow: string): boolean =>
  runLimits(db).some((limit) => limit.of === 'organization' || limit.workflowId === workflow)

const runLimits = (db: Tables): RunLimit[] => [...db.engine_limit.values()].flatMap(runLimit)

function runLimit({ counts, scope, subject, max_running: most }: Limit): RunLimit[] {
  if (counts !== 'runs' || most === null) return []
  return [scope === 'organization' ? { of: scope, most } : { of: 'workflow', workflowId: subject, most }]
}

function mainStrand(db: Tables, run: string): Strand | undefined {
  for (const s of db.strand.values()) if (s.run_id === run && s.parent_id === null) return s
  return undefined
}
