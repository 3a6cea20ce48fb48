import type { LoopNode } from '../../../definitions/index.ts'
import type { CoreEvent } from '../event.ts'
import { enter, leave, REST } from '../move.ts'
import type { Move } from '../move.ts'
import { turnName } from '../names.ts'
import type { Walk } from '../walk.ts'
import { stepError } from '../step-error.ts'

const LAST = '$last'

/** A loop begins with its turn 0. */
export function enterLoop(loop: LoopNode): Move {
  return { type: 'turn', loop, turn: 0 }
}

/**
 * A turn begins, if `while` holds and turns are left. When this call has gone through many nodes already, the strand
 * first rests on a wait of no length, so that a loop of the engine's own steps holds nobody up.
 */
export function beginTurn(walk: Walk, loop: LoopNode, turn: number): Move {
  walk.write(turnName(loop.id), turn)
  if (loop.while !== undefined) {
    const holds = walk.holds(loop.entry, walk.program.condition(loop.while))
    if (!holds.ok) return walk.refuse(loop, stepError('EXPRESSION_FAILED', `while: ${holds.message}`))
    if (!holds.value) return leave(loop)
  }
  if (turn >= loop.maxTurns) return exhaust(walk, loop)
  return walk.budget.left > 0 ? enter(loop.entry, loop.id) : pause(walk, loop)
}

/** A turn is over: another follows unless `until` holds. */
export function endTurn(walk: Walk, loop: LoopNode): Move {
  if (loop.until !== undefined) {
    const holds = walk.holds(loop.entry, walk.program.condition(loop.until))
    if (!holds.ok) return walk.refuse(loop, stepError('EXPRESSION_FAILED', `until: ${holds.message}`))
    if (holds.value) return leave(loop)
  }
  return { type: 'turn', loop, turn: walk.names.turnOf(loop.id) + 1 }
}

/** Path of the wait on which a strand rests before a turn. */
export function pausePath(walk: Walk, { id }: LoopNode): string {
  return `${walk.pathOf(id)}[${walk.names.turnOf(id)}]~pause`
}

/** The turn that was put off begins. */
export function resumeTurn(walk: Walk, loop: LoopNode, event: CoreEvent): Move | undefined {
  if (event.type !== 'wait_over' && event.type !== 'wait_expired') return undefined
  const path = pausePath(walk, loop)
  walk.add({ type: 'settle_task', node: loop.id, path, status: 'completed', output: null })
  walk.last = walk.names.mark(LAST) ?? null
  return enter(loop.entry, loop.id)
}

function exhaust(walk: Walk, loop: LoopNode): Move {
  const isCounted = loop.while === undefined && loop.until === undefined
  if (isCounted || loop.onExhausted === 'done') return leave(loop)
  return walk.refuse(loop, stepError('LOOP_EXHAUSTED', `${loop.maxTurns} turns were not enough.`))
}

function pause(walk: Walk, loop: LoopNode): Move {
  if (walk.view.strand.compound !== undefined) walk.write(LAST, walk.last)
  walk.add({
    type: 'create_task',
    kind: 'wait',
    node: loop.id,
    path: pausePath(walk, loop),
    status: 'waiting',
    input: {},
    attempt: 1,
    wakeAfterMs: 0,
  })
  return REST
}
