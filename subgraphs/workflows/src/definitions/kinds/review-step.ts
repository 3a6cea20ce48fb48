import type { ReviewNode } from '../definition.ts'
import type { JsonSchema } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import { DAY, formatDuration, readDuration } from '../read-duration.ts'
import { readInputs } from '../read-inputs.ts'
import { readJsonSchema } from '../read-json-schema.ts'
import { joined, readWay, readWays } from '../read-ways.ts'
import { optional } from '../optional.ts'
import { readOutput } from './read-output.ts'
import { duration, ref, stepName, text, valueName } from './schema-parts.ts'
import { present } from './step-kind.ts'
import type { StepKind } from './step-kind.ts'
import { writeInputs } from './write-inputs.ts'

const DEFAULT_ROLE = 'approver'
const DECISION = {
  type: 'object',
  properties: {
    outcome: { enum: ['approve', 'reject'] },
    by: { type: ['string', 'null'] },
    comment: { type: ['string', 'null'] },
  },
} as const

/** What the output looks like: a yes has the arguments too, where they may be others than those asked for. */
const decisionWith = (argumentsSchema: JsonSchema | undefined): JsonSchema =>
  argumentsSchema === undefined
    ? DECISION
    : { ...DECISION, properties: { ...DECISION.properties, arguments: argumentsSchema } }

/** A person's decision. */
export const reviewStep: StepKind<ReviewNode> = {
  types: ['review', 'human_review'],
  isMeantBy: (fields) => fields.has('question') || fields.has('if_rejected'),
  read(about, fields, context) {
    const input = fields.take('input')?.value
    const inputs = input ? readInputs(input, context) : { bindings: [], readings: [] }
    const schemaTree = fields.take('arguments_schema')?.value
    const argumentsSchema = schemaTree && readJsonSchema(schemaTree, context.problems)
    const { output, makes } = readOutput(fields, decisionWith(argumentsSchema))
    const role = fields.text('role') ?? DEFAULT_ROLE
    const question = fields.text('question') ?? ''
    fields.missing('question', 'missing_key', 'Say what the person decides.')
    const deadlineMs = readDuration(fields, 'deadline', { min: 1_000, max: 366 * DAY })
    const approved = readWays(fields, 'if_approved', 'approved', context)
    if (context.inSequence)
      fields.missing('if_rejected', 'missing_key', 'Name the step a rejection leads to, or end.')
    const { exits, readings } = joined([
      { exits: [], readings: inputs.readings },
      approved,
      readWays(fields, 'if_rejected', 'rejected', context),
      readWay(fields, 'if_expired', 'expired'),
      readWay(fields, 'fallback_action', 'failed'),
    ])
    const node: ReviewNode = {
      ...about,
      kind: 'review',
      role,
      question,
      inputs: inputs.bindings,
      ...output,
      ...optional('deadlineMs', deadlineMs),
      ...optional('argumentsSchema', argumentsSchema),
    }
    return draftStep(node, fields.place, {
      exits,
      readings,
      makes,
      ...(approved ? {} : { fallsThroughOn: 'approved' }),
    })
  },
  write: (node) =>
    present({
      question: node.question,
      role: node.role === DEFAULT_ROLE ? undefined : node.role,
      input: writeInputs(node.inputs),
      output: node.output,
      deadline: node.deadlineMs === undefined ? undefined : formatDuration(node.deadlineMs),
      arguments_schema: node.argumentsSchema,
    }),
  properties: {
    question: text('What the person decides.'),
    role: text(`Whoever has it decides; ${DEFAULT_ROLE} (when absent): approvers and administrators.`),
    input: ref('input', 'What the person is shown.'),
    output: valueName('The name of the decision: outcome (approve or reject), by, comment.'),
    arguments_schema: ref(
      'schema',
      'The person may approve other arguments than the input, which fit this; those that were approved are in the output.',
    ),
    ...duration('deadline', 'Time to decide; absent: as long as it takes.'),
    if_approved: ref('ways', 'Where an approval leads; absent: the step after this one.'),
    if_rejected: ref('ways', 'Where a rejection leads.'),
    if_expired: stepName('Where it goes on when nobody decided before the deadline.'),
  },
  required: ['question', 'if_rejected'],
}
