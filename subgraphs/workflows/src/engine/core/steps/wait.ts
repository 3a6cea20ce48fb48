import type { WaitNode } from '../../../definitions/index.ts'
import type { CoreEvent } from '../event.ts'
import { leave, REST } from '../move.ts'
import type { Move } from '../move.ts'
import type { CreateTask, StepError } from '../transition.ts'
import type { Walk } from '../walk.ts'
import { finish, giveUp } from './finish.ts'
import { stepError } from '../step-error.ts'

type WaitFor = WaitNode['for']
type Waiting = Pick<CreateTask & { kind: 'wait' }, 'input' | 'waitKey' | 'wakeAfterMs' | 'wakeAt' | 'expires'>

const ISO_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/

/**
 * Waits for a time, a signal, an event or a peer. The input of a wait for an event is what its filter reads beside `event`;
 * for a peer it is what the item of the board holds, with `$board`.
 */
export function enterWait(walk: Walk, node: WaitNode): Move {
  const waiting = waitingFor(walk, node, node.for)
  if ('code' in waiting) return walk.refuse(node, waiting)
  walk.add({
    type: 'create_task',
    kind: 'wait',
    node: node.id,
    path: walk.pathOf(node.id),
    status: 'waiting',
    attempt: 1,
    ...waiting,
  })
  return REST
}

/** What it waited for came, or its time. */
export function resumeWait(walk: Walk, node: WaitNode, event: CoreEvent): Move | undefined {
  if (event.type === 'wait_failed') return giveUp(walk, node, event.error)
  if (event.type !== 'wait_over' && event.type !== 'wait_expired') return undefined
  if (isMereTime(node.for)) return finish(walk, node, { value: null, report: true })
  if (event.type === 'wait_over') {
    const value = event.payload ?? null
    const schema = node.for.type === 'signal' || node.for.type === 'board' ? node.for.schema : undefined
    const misfit = walk.misfit(node.for.type === 'board' ? 'The result' : 'The payload', schema, value)
    return misfit ? giveUp(walk, node, misfit) : finish(walk, node, { value, report: true })
  }
  const error = stepError('WAIT_EXPIRED', `${describe(node.for)} did not come in time.`)
  walk.settle(node.id, 'failed', { error })
  return leave(node, 'expired', error)
}

function waitingFor(walk: Walk, { id, timeoutMs }: WaitNode, what: WaitFor): Waiting | StepError {
  if (what.type === 'duration') return { input: {}, wakeAfterMs: what.ms }
  if (what.type === 'until') {
    const at = walk.evaluate(id, what.at)
    if (!at.ok) return stepError('EXPRESSION_FAILED', `until: ${at.message}`)
    const time = typeof at.value === 'string' && ISO_TIME.test(at.value) ? Date.parse(at.value) : Number.NaN
    if (!Number.isNaN(time)) return { input: {}, wakeAt: new Date(time).toISOString() }
    const message = `until: ${JSON.stringify(at.value).slice(0, 100)} is not a time as 2027-01-31T09:00:00Z.`
    return stepError('INVALID_TIME', message)
  }
  const limit = timeoutMs === undefined ? {} : { wakeAfterMs: timeoutMs, expires: true }
  if (what.type === 'board') {
    const { capability } = what
    const bound = walk.bind(id, what.inputs)
    if (!bound.ok) return stepError('EXPRESSION_FAILED', bound.message)
    return { input: { ...bound.input, $board: { capability } }, waitKey: `board:${capability}`, ...limit }
  }
  if (what.type === 'signal') return { input: {}, waitKey: `signal:${what.name}`, ...limit }
  const read = what.filter === undefined ? [] : walk.program.condition(what.filter).variables
  const names = read.filter((name) => name !== 'event').map((name) => [name, walk.read(id, name)])
  return { input: Object.fromEntries(names), waitKey: `event:${what.event}`, ...limit }
}

function isMereTime(what: WaitFor): boolean {
  return what.type === 'duration' || what.type === 'until'
}

function describe(what: WaitFor): string {
  if (what.type === 'signal') return `The signal "${what.name}"`
  if (what.type === 'board') return `A peer for "${what.capability}"`
  return what.type === 'event' ? `An event "${what.event}"` : 'The time'
}
