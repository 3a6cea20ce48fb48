import { IMPLICIT_END } from '../../definitions/index.ts'
import type { EdgeTrigger, NodeId, WorkflowNode } from '../../definitions/index.ts'
import { enter, fail, leave, REST } from './move.ts'
import type { Move } from './move.ts'
import { beginCompensation } from './steps/compensation.ts'
import { arrive, completeRun, FALLBACK_STATE } from './steps/end-body.ts'
import { beginTurn, endTurn, enterLoop } from './steps/loop.ts'
import { enterMessage } from './steps/message.ts'
import { enterReview } from './steps/review.ts'
import { enterMap, enterParallel } from './steps/spread.ts'
import { enterSubworkflow } from './steps/subworkflow.ts'
import { enterTask } from './steps/task.ts'
import { enterTransform } from './steps/transform.ts'
import { enterWait } from './steps/wait.ts'
import type { FallbackReason, NewStrand, StepError } from './transition.ts'
import { Walk } from './walk.ts'
import { stepError } from './step-error.ts'

type MoveOf<Type extends Move['type']> = Move & { readonly type: Type }
type Way = { readonly to?: NodeId; readonly error?: StepError }

/** Children that begin in the same call; more, or a narrower bound, and each begins by a claim of its own. */
const MOST_EAGER = 128

/** Goes on along a strand until it is at a task, or over. */
export function follow(walk: Walk, first: Move): void {
  let move = first
  while (move.type !== 'rest') move = step(walk, move)
}

/** The node with which a branch or item begins. */
export function entryOf(compound: WorkflowNode, key: string | undefined): NodeId {
  const entry =
    compound.kind === 'parallel'
      ? compound.branches.find(({ name }) => name === key)?.entry
      : compound.kind === 'map'
        ? compound.entry
        : undefined
  if (entry === undefined) throw new Error(`The step "${compound.id}" has no branch or item "${key}".`)
  return entry
}

function step(walk: Walk, move: Exclude<Move, { type: 'rest' }>): Move {
  switch (move.type) {
    case 'enter':
      return enterNode(walk, move)
    case 'leave':
      return leaveNode(walk, move)
    case 'fail':
      return failNode(walk, move)
    case 'turn':
      return beginTurn(walk, move.loop, move.turn)
    case 'spread':
      return spread(walk, move)
    case 'end run':
      return endRun(walk, move.error)
  }
}

function enterNode(walk: Walk, { id, body, from }: MoveOf<'enter'>): Move {
  const node = walk.program.node(id)
  walk.budget.left -= 1
  switch (node.kind) {
    case 'task':
      return enterTask(walk, node)
    case 'message':
      return enterMessage(walk, node)
    case 'review':
      return enterReview(walk, node)
    case 'wait':
      return enterWait(walk, node)
    case 'workflow':
      return enterSubworkflow(walk, node)
    case 'transform':
      return enterTransform(walk, node)
    case 'condition':
      return leave(node)
    case 'loop':
      return enterLoop(node)
    case 'parallel':
      return enterParallel(walk, node)
    case 'map':
      return enterMap(walk, node)
    case 'end':
      return endBody(walk, body, id === IMPLICIT_END ? (from ?? id) : id)
  }
}

function leaveNode(walk: Walk, { node, on, otherwise }: MoveOf<'leave'>): Move {
  const { to, error } = findWay(walk, node, on)
  const isChoice = node.kind === 'condition'
  if (isChoice || error) {
    const choice = { type: 'record_choice', node: node.id, path: walk.pathOf(node.id) } as const
    walk.add({ ...choice, to: to ?? null, ...(error ? { error } : {}) })
  }
  if (error) return fail(node, error)
  if (to !== undefined) return enter(to, node.parent, node.id)
  return otherwise ? fail(node, otherwise) : endBody(walk, node.parent, node.id)
}

/**
 * The node has failed for good: its `failed` edge, once a body's pass (at the top: once a run). Without one, what is
 * around it fails: the loop, the branch or item, the run.
 */
function failNode(walk: Walk, { node, error, failed = node.id }: MoveOf<'fail'>): Move {
  const reason: FallbackReason = { node: failed, ...error }
  const parent = node.parent === undefined ? undefined : walk.program.node(node.parent)
  const inLoop = parent?.kind === 'loop'
  const name = inLoop ? `${FALLBACK_STATE}:${parent.id}` : FALLBACK_STATE
  const pass = inLoop ? walk.prefixOf(node.id) : undefined
  const handled = walk.names.mark(name)
  if (inLoop ? handled !== pass : handled === undefined) {
    const { to } = findWay(walk, node, 'failed')
    if (to !== undefined) {
      walk.write(name, pass ?? reason)
      return enter(to, node.parent, node.id)
    }
  }
  if (!parent) return { type: 'end run', error: reason }
  if (inLoop) return fail(parent, error, failed)
  walk.add({ type: 'arrive', arrival: { ok: false, error: reason } })
  return REST
}

/** The first edge whose condition holds, if any; one that cannot be evaluated before it is an error. */
function findWay(walk: Walk, node: WorkflowNode, on: EdgeTrigger): Way {
  for (const { to, condition } of walk.program.edges(node.id, on)) {
    if (!condition) return { to }
    const outcome = walk.holds(node.id, condition)
    if (!outcome.ok) return { error: stepError('CONDITION_FAILED', `${condition.text}: ${outcome.message}`) }
    if (outcome.value) return { to }
  }
  return {}
}

function endBody(walk: Walk, body: NodeId | undefined, terminal: NodeId): Move {
  if (body === undefined) return completeRun(walk, terminal)
  const around = walk.program.node(body)
  if (around.kind === 'loop') return endTurn(walk, around)
  if (around.kind === 'parallel' || around.kind === 'map') return arrive(walk, around)
  throw new Error(`The step "${body}" has no steps inside it.`)
}

function endRun(walk: Walk, error: FallbackReason): Move {
  if (walk.program.canCompensate) return beginCompensation(walk, error)
  walk.add({ type: 'fail_run', error })
  return REST
}

function spread(walk: Walk, { node, children, needed }: MoveOf<'spread'>): Move {
  const path = walk.pathOf(node.id)
  const { id, kind, onFailure } = node
  const concurrency = node.kind === 'map' ? node.concurrency : undefined
  const { task: _task, ...around } = walk.view
  const outer = walk.names.around()
  const isEager = children.length <= MOST_EAGER && (concurrency ?? MOST_EAGER) >= children.length
  const strands = children.map((child): NewStrand => {
    const strand = { ...child, path: `${path}[${child.key}]/` }
    if (!isEager || walk.budget.left <= 0) return strand
    const view = { ...around, status: 'running', strand: { ...strand, compound: id, outer } } as const
    const begun = new Walk(walk.program, view, walk.budget)
    follow(begun, enter(entryOf(node, child.key), id))
    return { ...strand, transitions: begun.transitions }
  })
  walk.add({ type: 'create_task', kind, node: id, path, status: 'waiting', input: {}, attempt: 1 })
  walk.add({
    type: 'start_strands',
    node: id,
    path,
    strands,
    needed,
    failFast: onFailure === 'fail',
    ...(concurrency === undefined ? {} : { concurrency }),
  })
  return REST
}
