import type { MapNode, NodeId, ParallelNode } from '../../../definitions/index.ts'
import { REST } from '../move.ts'
import type { Move } from '../move.ts'
import type { Arrival, FallbackReason } from '../transition.ts'
import type { Walk } from '../walk.ts'
import { stepError } from '../step-error.ts'

/** Name in a state that holds the failure its fallback handles: of the main line's, the run's. */
export const FALLBACK_STATE = '$fallback'

/** The run's own steps are done; `terminal` is the last of them, or the end that was reached. */
export function completeRun(walk: Walk, terminal: NodeId): Move {
  const outputs = walk.names.visible()
  const misfit = walk.misfit('The result', walk.program.definition.schemas?.output, outputs)
  if (misfit) return { type: 'end run', error: { node: terminal, ...misfit } }
  const handled = walk.names.mark(FALLBACK_STATE)
  const fallback = isReason(handled) ? { fallback: true, fallbackReason: handled } : { fallback: false }
  walk.add({ type: 'complete_run', output: { outputs, terminal, ...fallback } })
  return REST
}

/** A branch or item is done: its value is what `collect` makes of it, else the result of its last step. */
export function arrive(walk: Walk, compound: ParallelNode | MapNode): Move {
  walk.add({ type: 'arrive', arrival: arrivalOf(walk, compound) })
  return REST
}

function arrivalOf(walk: Walk, compound: ParallelNode | MapNode): Arrival {
  if (compound.kind === 'parallel') return { ok: true, value: walk.last, state: walk.names.visible() }
  if (compound.collect === undefined) return { ok: true, value: walk.last }
  const value = walk.evaluate(compound.entry, compound.collect)
  if (value.ok) return { ok: true, value: value.value }
  const error = stepError('EXPRESSION_FAILED', `collect: ${value.message}`)
  return { ok: false, error: { node: compound.id, ...error } }
}

function isReason(value: unknown): value is FallbackReason {
  return (
    typeof value === 'object' && value !== null && 'node' in value && 'code' in value && 'message' in value
  )
}
