import type { MessageNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import type { Reading, StepContext } from '../draft-step.ts'
import { readExpression } from '../read-expression.ts'
import type { Fields } from '../read-fields.ts'
import { readExits } from '../read-ways.ts'
import { readOutput } from './read-output.ts'
import { text, valueName } from './schema-parts.ts'
import { present } from './step-kind.ts'
import type { StepKind } from './step-kind.ts'
import { writeExpression } from './write-inputs.ts'

const DEFAULT_CHANNEL = 'inbox'

/** A message to an agent's inbox. */
export const messageStep: StepKind<MessageNode> = {
  types: ['message'],
  isMeantBy: (fields) => fields.has('to') || fields.has('body'),
  read(about, fields, context) {
    const to = fields.text('to')
    fields.missing('to', 'missing_agent', 'Name the agent that the message goes to.')
    const body = readBody(fields, context)
    const { output, makes } = readOutput(fields)
    const { exits, readings, ...falls } = readExits(fields, context)
    const node: MessageNode = {
      ...about,
      kind: 'message',
      to: to ?? '',
      channel: fields.text('channel') ?? DEFAULT_CHANNEL,
      body: body?.text ?? '',
      ...output,
    }
    return draftStep(node, fields.place, {
      exits,
      ...falls,
      readings: [...(body?.readings ?? []), ...readings],
      makes,
      mentions: to === undefined ? [] : [{ what: 'agent', name: to, place: fields.placeOf('to') }],
    })
  },
  write: (node) =>
    present({
      to: node.to,
      channel: node.channel === DEFAULT_CHANNEL ? undefined : node.channel,
      body: plainText(node.body) ?? writeExpression(node.body),
      output: node.output,
    }),
  properties: {
    to: text('The agent it goes to.'),
    channel: text(`The channel; absent: ${DEFAULT_CHANNEL}.`),
    body: text('The text; after "=" an expression, whose value is sent as JSON unless it is a text.'),
    output: valueName('The name of what the inbox answers.'),
  },
  required: ['to', 'body'],
}

/** A text is said as it is: the expression is then its literal. After `=` it is computed. */
function readBody(
  fields: Fields,
  context: StepContext,
): { text: string; readings: readonly Reading[] } | undefined {
  fields.missing('body', 'missing_key', 'Write the text, or "= " and an expression.')
  const written = fields.text('body')
  const tree = fields.take('body')?.value
  if (written === undefined || tree?.kind !== 'scalar') return undefined
  const isComputed = /^\s*=/.test(written)
  const body = readExpression(
    isComputed ? tree : { ...tree, value: JSON.stringify(written) },
    { wants: 'any' },
    context,
  )
  return body && { text: body.text, readings: isComputed ? [body.reading] : [] }
}

/** The text that an expression is the literal of, if it can be written as it is. */
function plainText(expression: string): string | undefined {
  if (!/^"(?:[^"\\]|\\.)*"$/s.test(expression)) return undefined
  try {
    const value: unknown = JSON.parse(expression)
    const isSame = typeof value === 'string' && JSON.stringify(value) === expression
    return isSame && value.trim() !== '' && !/^\s*=/.test(value) ? value : undefined
  } catch {
    return undefined
  }
}
