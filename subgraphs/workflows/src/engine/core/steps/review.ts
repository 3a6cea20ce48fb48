import { MOST_ASKED_BYTES, MOST_ASKED_LEVELS } from '@tutti/schema'
import type { ReviewNode } from '../../../definitions/index.ts'
import type { CoreEvent } from '../event.ts'
import { leave, REST } from '../move.ts'
import type { Move } from '../move.ts'
import type { Walk } from '../walk.ts'
import { finish } from './finish.ts'
import { stepError } from '../step-error.ts'

/** A person is asked. */
export function enterReview(walk: Walk, node: ReviewNode): Move {
  const bound = walk.bind(node.id, node.inputs)
  if (!bound.ok) return walk.refuse(node, stepError('EXPRESSION_FAILED', bound.message))
  if (isTooMuch(bound.input)) return walk.refuse(node, stepError('REVIEW_UNASKABLE'))
  const { role, question, deadlineMs, argumentsSchema } = node
  walk.add({
    type: 'create_task',
    kind: 'review',
    node: node.id,
    path: walk.pathOf(node.id),
    status: 'waiting',
    input: bound.input,
    attempt: 1,
    role,
    question,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(argumentsSchema === undefined ? {} : { argumentsSchema }),
  })
  return REST
}

/** Said here, where it fails the step: nobody could ask later, and the step would wait for ever. */
const isTooMuch = (input: unknown): boolean =>
  isDeeper(input, MOST_ASKED_LEVELS) || Buffer.byteLength(JSON.stringify(input)) > MOST_ASKED_BYTES

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels <= 0 || Object.values(value).some((each) => isDeeper(each, levels - 1)))

/** Somebody decided, or nobody in time. */
export function resumeReview(walk: Walk, node: ReviewNode, event: CoreEvent): Move | undefined {
  if (event.type === 'review_decided') {
    const { outcome, by = null, comment = null } = event
    const on = outcome === 'approve' ? 'approved' : 'rejected'
    const given = node.argumentsSchema === undefined ? undefined : event.arguments
    const value = { outcome, by, comment, ...(given === undefined ? {} : { arguments: given }) }
    return finish(walk, node, { value, on, report: true })
  }
  if (event.type !== 'review_expired') return undefined
  const error = stepError('REVIEW_EXPIRED')
  walk.settle(node.id, 'failed', { error })
  return leave(node, 'expired', error)
}
