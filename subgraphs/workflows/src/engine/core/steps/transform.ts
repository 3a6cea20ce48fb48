import type { TransformNode } from '../../../definitions/index.ts'
import { leave } from '../move.ts'
import type { Move } from '../move.ts'
import type { Walk } from '../walk.ts'
import { stepError } from '../step-error.ts'

/** Names get values, each sees those before it; one that fails, and none is written. */
export function enterTransform(walk: Walk, node: TransformNode): Move {
  const assigned = new Map<string, unknown>()
  for (const { name, value } of node.assign) {
    const outcome = walk.evaluate(node.id, value, assigned)
    if (!outcome.ok) return walk.refuse(node, stepError('EXPRESSION_FAILED', `${name}: ${outcome.message}`))
    const misfit = walk.misfitOf(name, outcome.value)
    if (misfit) return walk.refuse(node, misfit)
    assigned.set(name, outcome.value)
  }
  for (const [name, value] of assigned) walk.write(name, value)
  return leave(node)
}
