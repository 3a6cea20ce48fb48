import type { StrandChange } from '../store/strand-change.ts'
import { advance } from '../core/index.ts'
import type { Mood } from './faults.ts'
import { below } from './store/children.ts'
import { STORE_RULES, type StoreRules } from './store/rules.ts'
import type { Invariant } from './violation.ts'
import { WORKER_RULES, type WorkerRules } from './worker-rules.ts'

/** A mistake that the simulation must find: what is different in the store or the worker. */
export interface PlantedBug {
  readonly name: string
  /** The invariants that catch it, the usual one first. */
  readonly caughtBy: readonly Invariant[]
  readonly store?: StoreRules
  readonly worker?: WorkerRules
  /** A world in which it shows sooner. */
  readonly mood?: Partial<Mood>
}

const { write, claim, limits, line, children, control, signals, letGo, outside, read } = STORE_RULES
const store = (rules: Partial<StoreRules>): StoreRules => ({ ...STORE_RULES, ...rules })
const worker = (rules: Partial<WorkerRules>): WorkerRules => ({ ...WORKER_RULES, ...rules })

/** Every planted bug; docs/simulation.md lists them. */
export const BUGS: readonly PlantedBug[] = [
  {
    name: 'no fencing',
    caughtBy: ['no stale write', 'paths are unique'],
    store: store({
      write: {
        ...write,
        gate: (db, changes) =>
          changes.filter((x) => db.strand.get(x.id) && db.run.get(x.run)?.epoch === x.epoch),
      },
    }),
  },
  {
    name: 'a claim does not raise the fence',
    caughtBy: ['no stale write'],
    store: store({
      claim: {
        ...claim,
        claimed: (db, mine, id) =>
          claim.claimed(db, mine, id).map((s) => {
            db.endStatement()
            db.strand.update(s.id, { fence: s.fence - 1n })
            return { ...s, fence: s.fence - 1n }
          }),
      },
    }),
    mood: { suspend: 0.03, long: 0.2, limits: 0 },
  },
  {
    name: 'the epoch is not checked',
    caughtBy: ['a run ends or waits for a reason', 'a pause holds', 'nothing is left'],
    store: store({
      write: {
        ...write,
        gate: (db, changes) => changes.filter((x) => String(db.strand.get(x.id)?.fence) === x.fence),
      },
    }),
    mood: { control: 0.5, haste: 0.5, actMs: 40 },
  },
  {
    name: 'a late answer is accepted although its strand is gone',
    caughtBy: ['no stale write', 'one completion a task'],
    store: store({
      write: {
        ...write,
        gate: (db, changes) => {
          const passed = new Set(write.gate(db, changes))
          return changes.filter((x) => passed.has(x) || !db.strand.get(x.id))
        },
      },
    }),
  },
  {
    name: 'it is acknowledged before it is committed',
    caughtBy: ['one holder a strand', 'a start is accepted once', 'no stale write', 'a pause holds'],
    worker: worker({ waitsForCommit: false }),
  },
  {
    name: 'an arrival counts twice',
    caughtBy: ['a join fires once'],
    store: store({
      write: { ...write, parents: (db, gate) => write.parents(db, [...gate, ...gate]) },
    }),
  },
  {
    name: 'arrivals of one statement count once',
    caughtBy: ['a join fires once'],
    store: store({ write: { ...write, parents: (db, gate) => write.parents(db, onePerParent(gate)) } }),
  },
  {
    name: 'a join that has enough is woken by every later arrival',
    caughtBy: ['a join fires once'],
    store: store({
      write: {
        ...write,
        parents: (db, gate) =>
          write.parents(db, gate).map((each) => {
            if (each.woken) {
              db.endStatement()
              db.strand.update(each.id, { status: 'waiting' })
            }
            return each
          }),
      },
    }),
  },
  {
    name: 'timers are in the memory of the process that set them',
    caughtBy: ['a run ends or waits for a reason'],
    store: store({
      claim: {
        ...claim,
        candidate: (db, then, request) =>
          claim
            .candidate(db, then, request)
            .filter(({ id }) => then.strand.get(id)?.status !== 'waiting' || request.timers.has(id)),
      },
    }),
    mood: { favour: 'timer', crash: 0.04 },
  },
  {
    name: 'a lease that ran out is not taken over',
    caughtBy: ['a run ends or waits for a reason'],
    store: store({
      claim: {
        ...claim,
        candidate: (db, then, request) =>
          claim.candidate(db, then, request).filter(({ id }) => then.strand.get(id)?.status !== 'running'),
      },
    }),
  },
  {
    name: 'a claim takes no lease: a doubled nudge starts a strand twice',
    caughtBy: ['one holder a strand'],
    store: store({
      claim: {
        ...claim,
        claimed: (db, mine, id) =>
          mine.map((s) => {
            db.strand.update(s.id, { claim_id: id, fence: s.fence + 1n })
            return { ...s, claim_id: id, fence: s.fence + 1n, timed: s.status === 'waiting', lost: false }
          }),
      },
    }),
  },
  {
    name: 'a claim believes what it saw before it had the lock',
    caughtBy: ['paths are unique', 'a run ends or waits for a reason', 'no error'],
    store: store({
      claim: {
        ...claim,
        mine: (db, candidates) =>
          claim.mine(
            db,
            candidates.map(({ id, fence }) => ({ id, fence: db.strand.get(id)?.fence ?? fence })),
          ),
      },
    }),
    mood: { favour: 'map', gap: 0.9, gapMs: 300, nudge: 0, limits: 0, crash: 0 },
  },
  {
    name: 'a lost lease counts as an attempt',
    caughtBy: ['attempts are counted', 'limits hold'],
    store: store({
      claim: {
        ...claim,
        begun: (db, described) =>
          claim.begun(
            db,
            described.map((each) => ({ ...each, lost: false })),
          ),
      },
    }),
  },
  {
    name: 'an attempt lost in a paused run counts',
    caughtBy: ['attempts are counted'],
    store: store({ letGo: { ...letGo, back: () => undefined } }),
    mood: { favour: 'map', crash: 0.1, control: 0.3, long: 0.3, haste: 0, limits: 0 },
  },
  {
    name: 'the release of items ignores their bound',
    caughtBy: ['bounds hold'],
    store: store({ children: { ...children, room: () => 1_000 } }),
  },
  {
    name: 'the release of items counts those that began, and not those under way',
    caughtBy: ['bounds hold', 'a run ends or waits for a reason'],
    store: store({
      children: {
        ...children,
        room(then, { id, width }) {
          const begun = [...then.strand.values()].filter((c) => c.parent_id === id && c.task_id !== null)
          return (width ?? 0) - begun.length
        },
      },
    }),
  },
  {
    name: 'a resumed run ignores the bounds of its maps',
    caughtBy: ['bounds hold'],
    store: store({ control: { ...control, room: () => 1_000 } }),
    mood: { favour: 'map', control: 0.3, limits: 0 },
  },
  {
    name: 'a lease that ran out takes no place of its limits',
    caughtBy: ['limits hold'],
    store: store({
      limits: {
        ...limits,
        underWay: (db, then) => limits.underWay(db, then).filter((s) => (s.due_at ?? 0) > db.clock()),
      },
    }),
    mood: { limits: 1, crash: 0.04 },
  },
  {
    name: 'a place is counted before the limits are locked',
    caughtBy: ['limits hold'],
    store: store({
      limits: {
        ...limits,
        underWay: (_db, then) => [...then.strand.values()].filter((s) => s.status === 'running'),
      },
    }),
    mood: { limits: 1, gap: 0.9 },
  },
  {
    name: 'branches and items begin beside their limits',
    caughtBy: ['limits hold'],
    worker: worker({ childrenPassClaim: false }),
    mood: { favour: 'parallel', limits: 1 },
  },
  {
    name: 'the next step in place takes no place of its agent',
    caughtBy: ['limits hold'],
    worker: worker({ tasksPassClaim: false }),
    mood: { limits: 1 },
  },
  {
    name: 'a start takes nothing from a rate',
    caughtBy: ['limits hold'],
    store: store({ limits: { ...limits, taken: () => undefined } }),
    mood: { limits: 1 },
  },
  {
    name: 'a run that was let begin counts once it has begun',
    caughtBy: ['limits hold'],
    store: store({
      line: { ...line, counted: (db) => line.counted(db).filter(({ status }) => status !== 'queued') },
    }),
    mood: { limits: 1 },
  },
  {
    name: 'a run begins without a look at the line',
    caughtBy: ['limits hold'],
    store: store({ line: { ...line, linedUp: () => [] } }),
    mood: { limits: 1 },
  },
  {
    name: 'the place of a run in the queue is by the clock of who started it',
    caughtBy: ['a run ends or waits for a reason'],
    worker: worker({ startedAt: (own) => own }),
  },
  {
    name: 'a resumed run leaves its sub-runs paused',
    caughtBy: ['a run ends or waits for a reason'],
    store: store({ control: { ...control, wasPausedWith: () => false } }),
    mood: { control: 0.2, haste: 0.9 },
  },
  {
    name: 'nothing repeats a release that a crash left undone',
    caughtBy: ['a run ends or waits for a reason'],
    worker: worker({ reconciles: false }),
    mood: { favour: 'map', crash: 0.1, connection: 0.1, haste: 0, limits: 0 },
  },
  {
    name: 'branches and items go on after their join',
    caughtBy: ['nothing is left', 'a join fires once'],
    worker: worker({ cancels: false }),
  },
  {
    name: 'what is below a cancelled branch goes on',
    caughtBy: ['nothing is left'],
    store: store({
      children: {
        ...children,
        doomed: (db, then, parents) =>
          children
            .doomed(db, then, parents)
            .filter((s) => parents.some(({ strand }) => strand === s.parent_id || s.is_run)),
      },
    }),
  },
  {
    name: 'what was begun while its branch was cancelled goes on',
    caughtBy: ['nothing is left'],
    store: store({
      children: {
        ...children,
        doomed: (_db, then, parents) => below(then, parents),
        cancelled: (db, then, locked) =>
          children.cancelled(
            db,
            then,
            locked.filter(({ task_id }) => task_id !== null && then.task.get(task_id)),
          ),
      },
    }),
    mood: { favour: 'parallel', gap: 0.9, gapMs: 90, limits: 0 },
  },
  {
    name: 'the end of a sub-run is told to nobody',
    caughtBy: ['a run ends or waits for a reason'],
    store: store({ write: { ...write, woken: () => undefined } }),
  },
  {
    name: 'a retry is a second task',
    caughtBy: ['one key an effect'],
    worker: worker({
      planned(plan, { task, parentTaskId, position }) {
        if (plan.change.t_status !== 'ready' || !task) return plan
        const { id, path, nodeId: node, kind, generation, input, timeoutMs } = task
        const again = `${id}-again`
        const row = {
          ...{ id: again, path, node, kind, status: 'ready', input, timeout_ms: timeoutMs },
          ...{ parent: parentTaskId ?? undefined, position: position ?? undefined },
        }
        const change: StrandChange = {
          ...plan.change,
          t_status: 'failed',
          t_over: true,
          task: again,
          tasks: [{ ...row, generation: generation + 1 }],
        }
        return { ...plan, change }
      },
    }),
  },
  {
    name: 'the key of an effect holds the attempt',
    caughtBy: ['one key an effect'],
    worker: worker({ keyOf: (task) => `${WORKER_RULES.keyOf(task)} ${task.attempt}` }),
  },
  {
    name: 'the key of an effect is the id of its task',
    caughtBy: ['one key an effect'],
    worker: worker({ keyOf: ({ id }) => id }),
  },
  {
    name: 'events are told of what was refused, too',
    caughtBy: ['one completion a task'],
    store: store({
      write: {
        ...write,
        gate(db, changes) {
          const passed = write.gate(db, changes)
          write.told(
            db,
            changes.filter((x) => !passed.includes(x)),
          )
          return passed
        },
      },
    }),
  },
  {
    name: 'compensation begins with the oldest',
    caughtBy: ['compensation is complete'],
    worker: worker({ listed: (steps) => steps.toReversed() }),
  },
  {
    name: 'compensation forgets what it has no room for',
    caughtBy: ['compensation is complete'],
    worker: worker({ listed: (steps) => steps.slice(0, 1) }),
  },
  {
    name: 'compensation is listed while branches are under way',
    caughtBy: ['compensation is complete'],
    worker: worker({ listsWhenWritten: false }),
    mood: { favour: 'parallel', undo: 0.9, failing: 0.35, slow: 0.05, limits: 0 },
  },
  {
    name: 'a signal stays after it was taken',
    caughtBy: ['signals are taken once'],
    store: store({ signals: { ...signals, taken: () => undefined } }),
    mood: { favour: 'signal' },
  },
  {
    name: 'a signal believes a pause that is over',
    caughtBy: ['a pause holds', 'a run ends or waits for a reason'],
    store: store({
      signals: {
        ...signals,
        isPaused: (_db, then, run) => then.run.get(run)?.status === 'paused',
      },
    }),
    mood: { favour: 'signal', control: 0.1, haste: 1, gap: 0.9, gapMs: 90, roughMs: 4_000 },
  },
  {
    name: 'a signal that came before its wait is lost',
    caughtBy: ['a run ends or waits for a reason'],
    store: store({ signals: { ...signals, awaiting: () => [] } }),
    worker: worker({ looksForSignals: false }),
    mood: { favour: 'signal' },
  },
  {
    name: 'paused runs go on',
    caughtBy: ['a pause holds', 'a run ends or waits for a reason', 'no error'],
    worker: worker({ parks: false }),
    mood: { favour: 'map', control: 0.3, limits: 0 },
  },
  {
    name: 'a run that is paused as it begins is told so, and nothing more',
    caughtBy: ['no error'],
    worker: worker({ parksWhatWasRefused: false }),
    mood: { control: 0, haste: 0.9 },
  },
  {
    name: 'what the core ignores leaves its strand to nobody',
    caughtBy: ['a run ends or waits for a reason'],
    worker: worker({ decide: advance, parksWhatWasRefused: false }),
    mood: { control: 0, haste: 0.9 },
  },
  {
    name: 'a first step that kills its worker is begun again and again',
    caughtBy: ['a run ends or waits for a reason'],
    worker: worker({ beginsUnseenAgain: true }),
    mood: { deadly: 1 },
  },
  {
    name: 'what is below is cancelled by a transaction of its own',
    caughtBy: ['nothing is left', 'a join fires once', 'a run ends or waits for a reason'],
    worker: worker({ cancelsWithin: false }),
    mood: { crash: 0.04 },
  },
  {
    name: 'a key starts a run each time it comes',
    caughtBy: ['a start is accepted once'],
    store: store({ outside: { ...outside, existing: () => undefined } }),
    mood: { connection: 0.2 },
  },
  {
    name: 'a wait is over at once',
    caughtBy: ['times are kept'],
    store: store({
      claim: {
        ...claim,
        candidate: (db, then, request) =>
          [...then.strand.values()]
            .filter((s) => s.status === 'waiting' && s.due_at !== null && request.timers.has(s.id))
            .concat()
            .map(({ id, fence }) => ({ id, fence }))
            .concat(claim.candidate(db, then, request))
            .slice(0, request.limit),
        mine: (db, candidates) =>
          candidates.flatMap(({ id, fence }) => {
            const s = db.strand.get(id)
            return s && s.fence === fence && (s.status === 'waiting' || (s.due_at ?? Infinity) <= db.clock())
              ? [s]
              : []
          }),
      },
    }),
  },
  {
    name: 'what ended at one moment is undone in any order',
    caughtBy: ['compensation is complete'],
    store: store({
      read: {
        ...read,
        undoable: (then, run, nodes) =>
          read.undoable(then, run, nodes).toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      },
    }),
  },
]

function onePerParent(gate: readonly StrandChange[]): StrandChange[] {
  const seen = new Set<string>()
  return gate.filter(({ parent }) => {
    if (parent === undefined || seen.has(parent)) return false
    seen.add(parent)
    return true
  })
}
