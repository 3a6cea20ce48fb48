import type { JsonSchema, WaitFor, WaitNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import type { Reading, StepContext } from '../draft-step.ts'
import { DAY, formatDuration, readDuration } from '../read-duration.ts'
import { readExpression } from '../read-expression.ts'
import type { Fields } from '../read-fields.ts'
import { readJsonSchema } from '../read-json-schema.ts'
import { readInputs } from '../read-inputs.ts'
import { readExits } from '../read-ways.ts'
import { optional } from '../optional.ts'
import { readOutput } from './read-output.ts'
import { condition, duration, ref, stepName, text, valueName } from './schema-parts.ts'
import { present } from './step-kind.ts'
import type { StepKind } from './step-kind.ts'
import { writeInputs } from './write-inputs.ts'

const LONGEST = { min: 1, max: 3_660 * DAY }
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/
const HINT = 'Write for: 30d, until: <time>, signal: <name>, event: <type> or board: <capability>.'
const KEYS = ['for', 'for_seconds', 'until', 'signal', 'event', 'board'] as const

/** A wait for a time, a signal, an event, or a peer who takes an item from the shared board. */
export const waitStep: StepKind<WaitNode> = {
  types: ['wait'],
  isMeantBy: (fields) => KEYS.some((key) => fields.has(key)),
  read(about, fields, context) {
    const waits = readWaitFor(fields, context)
    const comes = waits.for.type !== 'duration' && waits.for.type !== 'until'
    const timeoutMs = comes ? readDuration(fields, 'timeout', LONGEST) : undefined
    const { output, makes } = readOutput(fields, schemaOf(waits.for))
    const { exits, readings, ...falls } = readExits(fields, context, { expires: comes })
    const node: WaitNode = {
      ...about,
      kind: 'wait',
      for: waits.for,
      ...optional('timeoutMs', timeoutMs),
      ...output,
    }
    return draftStep(node, fields.place, {
      exits,
      ...falls,
      readings: [...waits.readings, ...readings],
      makes,
      mentions:
        waits.for.type === 'board' && waits.for.capability !== ''
          ? [{ what: 'capability', name: waits.for.capability, place: fields.placeOf('board') }]
          : [],
    })
  },
  write: (node) =>
    present({
      ...writeWaitFor(node.for),
      timeout: node.timeoutMs === undefined ? undefined : formatDuration(node.timeoutMs),
      output: node.output,
    }),
  properties: {
    ...duration('for', 'How long.'),
    until: text('A time, as 2027-01-31T09:00:00Z, or an expression with one; the past is now.'),
    signal: text('The name of the signal; one that came before the wait began is taken too.'),
    schema: ref('schema', "What the signal's payload, or the peer's result, must look like."),
    event: text("The type of the event of the organization's log."),
    filter: condition('Which events count; event.type, event.subject, event.data and event.time are there.'),
    board: text('A capability: an item is posted to the shared board, and a peer who has it does it.'),
    input: ref('input', 'What the item on the board holds.'),
    ...duration('timeout', 'Longest wait for a signal, an event or a peer.'),
    output: valueName('The name of the payload, event or result that came.'),
    if_expired: stepName('Where it goes on after the timeout; absent: the step has failed.'),
  },
  rules: {
    oneOf: [
      { required: ['for'] },
      { required: ['for_seconds'] },
      { required: ['until'] },
      { required: ['signal'] },
      { required: ['event'] },
      { required: ['board'] },
    ],
  },
}

/** What is known of what comes. */
function schemaOf(what: WaitFor): JsonSchema | undefined {
  if (what.type === 'event') return { type: 'object' }
  return what.type === 'signal' || what.type === 'board' ? what.schema : undefined
}

function readWaitFor(fields: Fields, context: StepContext): { for: WaitFor; readings: readonly Reading[] } {
  const written: readonly string[] = KEYS.filter((key) => fields.has(key))
  const [first, second] = written
  if (first === undefined)
    fields.problems.add('missing_key', fields.place, 'It does not say what it waits for.', HINT)
  else if (second !== undefined && second !== 'for_seconds')
    fields.problems.add(
      'conflicting_keys',
      fields.placeOf(second),
      `A step waits for one thing, not for "${first}" and "${second}".`,
      'Put two waits into a parallel that goes on with either.',
    )
  for (const key of written) fields.take(key)
  if (first === 'until') return readUntil(fields, context)
  if (first === 'signal') {
    const name = fields.text('signal') ?? ''
    const tree = fields.take('schema')?.value
    const schema = tree && readJsonSchema(tree, context.problems)
    return { for: { type: 'signal', name, ...optional('schema', schema) }, readings: [] }
  }
  if (first === 'board') return readBoard(fields, context)
  if (first === 'event') {
    const event = fields.text('event') ?? ''
    const tree = fields.take('filter')?.value
    const filter = tree && readExpression(tree, { wants: 'boolean', locals: ['event'] }, context)
    return {
      for: { type: 'event', event, ...optional('filter', filter?.text) },
      readings: filter ? [filter.reading] : [],
    }
  }
  return { for: { type: 'duration', ms: readDuration(fields, 'for', LONGEST) ?? 0 }, readings: [] }
}

function readBoard(fields: Fields, context: StepContext): { for: WaitFor; readings: readonly Reading[] } {
  const capability = fields.text('board', undefined, 200) ?? ''
  const input = fields.take('input')?.value
  const { bindings, readings } = input ? readInputs(input, context) : { bindings: [], readings: [] }
  const tree = fields.take('schema')?.value
  const schema = tree && readJsonSchema(tree, context.problems)
  return { for: { type: 'board', capability, inputs: bindings, ...optional('schema', schema) }, readings }
}

function readUntil(fields: Fields, context: StepContext): { for: WaitFor; readings: readonly Reading[] } {
  const tree = fields.take('until')?.value
  if (tree?.kind !== 'scalar') {
    fields.text('until', 'Write a time or an expression.')
    return { for: { type: 'until', at: '' }, readings: [] }
  }
  // A plain time is its own literal.
  if (typeof tree.value === 'string' && TIME.test(tree.value.trim())) {
    const time = tree.value.trim()
    if (Number.isNaN(Date.parse(time)))
      fields.problems.add('wrong_type', tree, `${time} is no time.`, 'As 2027-01-31T09:00:00Z.')
    return { for: { type: 'until', at: JSON.stringify(time) }, readings: [] }
  }
  const at = readExpression(tree, { wants: 'any' }, context)
  return { for: { type: 'until', at: at?.text ?? '' }, readings: at ? [at.reading] : [] }
}

function writeWaitFor(wait: WaitFor): Readonly<Record<string, unknown>> {
  switch (wait.type) {
    case 'duration':
      return { for: formatDuration(wait.ms) }
    case 'until':
      return { until: literalTime(wait.at) ?? wait.at }
    case 'signal':
      return { signal: wait.name, schema: wait.schema }
    case 'event':
      return { event: wait.event, filter: wait.filter }
    case 'board':
      return { board: wait.capability, input: writeInputs(wait.inputs), schema: wait.schema }
  }
}

/** The time that an expression is the literal of. */
function literalTime(expression: string): string | undefined {
  const [, time] = /^"([^"\\]+)"$/.exec(expression) ?? []
  return time !== undefined && TIME.test(time) && !Number.isNaN(Date.parse(time)) ? time : undefined
}
