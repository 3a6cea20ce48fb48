import { ACTIONS, CLASSIFICATIONS, isAction, RISKS } from '@tutti/schema'
import type { Given, Governed } from '../definition.ts'
import type { StepContext } from '../draft-step.ts'
import { optional } from '../optional.ts'
import type { Place } from '../problem.ts'
import type { Fields } from '../read-fields.ts'
import type { ReadInputs } from '../read-inputs.ts'
import { readJsonSchema } from '../read-json-schema.ts'
import { kindOf, shorten } from '../tree.ts'
import { DAY, formatDuration, readDuration } from '../read-duration.ts'
import { duration, mapping, oneOf, ref, text } from './schema-parts.ts'
import { present } from './step-kind.ts'

const RULES = ['escalate', 'expire', 'reject'] as const
const MOST_AMOUNT = 1_000_000_000_000

const within = (what: string) => `${what}, or where in the step's input it stands.`

/** The schema of `governs`. */
export const GOVERNS = {
  description:
    'The governed action that the step does: authority and policies are asked before each attempt.',
  anyOf: [
    { enum: Object.keys(ACTIONS) },
    mapping(
      {
        action: { enum: Object.keys(ACTIONS) },
        amount: {
          description: within('US dollars'),
          anyOf: [
            { type: 'number', minimum: 0, maximum: MOST_AMOUNT },
            { type: 'string', minLength: 1 },
          ],
        },
        risk: text(within(RISKS.join(', '))),
        classification: text(within(CLASSIFICATIONS.join(', '))),
        ...duration('deadline', 'How long people who are asked have to answer.'),
        on_deadline: oneOf(
          RULES,
          'What becomes of a question that nobody answered in time; expire unless said.',
        ),
        arguments_schema: ref(
          'schema',
          'What arguments must look like that an approver puts in their place.',
        ),
      },
      ['action'],
    ),
  ],
}

/** Reads `governs: money.spend` or `governs: {action: money.spend, amount: order.total, risk: high}`. */
export function readGoverns(fields: Fields, step: ReadInputs, context: StepContext): Governed | undefined {
  const value = fields.take('governs')?.value
  if (!value) return undefined
  if (value.kind === 'scalar') return governing(fields.text('governs'), value, {}, context)
  const own = fields.mapping('governs', 'As {action: money.spend, amount: order.total, risk: high}.')
  if (!own) return undefined
  own.missing('action', 'missing_key', 'Name the action, as money.spend.')
  const params = step.bindings.map(({ param }) => param)
  const action = own.text('action')
  const stakes = {
    ...optional('amount', amountOf(own, params, context)),
    ...optional('risk', wordOf(own, 'risk', RISKS, params, context)),
    ...optional('classification', wordOf(own, 'classification', CLASSIFICATIONS, params, context)),
  }
  const deadline = deadlineOf(own)
  const schemaTree = own.take('arguments_schema')?.value
  const argumentsSchema = schemaTree && readJsonSchema(schemaTree, context.problems)
  own.refuseOthers()
  const answers = { ...optional('deadline', deadline), ...optional('argumentsSchema', argumentsSchema) }
  return governing(action, own.placeOf('action'), { ...stakes, ...answers }, context)
}

function governing(
  action: string | undefined,
  place: Place,
  stakes: Omit<Governed, 'action'>,
  { problems }: StepContext,
): Governed | undefined {
  if (action === undefined) return undefined
  if (isAction(action)) return { action, ...stakes }
  const hint = `One of ${Object.keys(ACTIONS).join(', ')}.`
  problems.add('unknown_action', place, `There is no action "${shorten(action)}".`, hint)
  return undefined
}

function deadlineOf(own: Fields): Governed['deadline'] {
  const ms = readDuration(own, 'deadline', { min: 1_000, max: 366 * DAY })
  const written = own.text('on_deadline')
  const rule = RULES.find((each) => each === written)
  if (written !== undefined && rule === undefined)
    own.problems.add(
      'wrong_type',
      own.placeOf('on_deadline'),
      `"on_deadline" must not be "${shorten(written)}".`,
      `One of ${RULES.join(', ')}.`,
    )
  if (rule && ms === undefined && !own.has('deadline'))
    own.missing('deadline', 'missing_key', 'Say when: deadline: 30m.')
  return ms === undefined ? undefined : { ms, rule: rule ?? 'expire' }
}

function amountOf(own: Fields, params: readonly string[], context: StepContext): Given<number> | undefined {
  const value = own.take('amount')?.value
  if (value?.kind === 'scalar' && typeof value.value === 'number') {
    const amount = own.number('amount', { min: 0, max: MOST_AMOUNT, fraction: true })
    return amount === undefined ? undefined : { value: amount }
  }
  return pathOf(own, 'amount', params, context)
}

function wordOf<Word extends string>(
  own: Fields,
  key: string,
  words: readonly Word[],
  params: readonly string[],
  context: StepContext,
): Given<Word> | undefined {
  const value = own.take(key)?.value
  const word = value?.kind === 'scalar' ? words.find((each) => each === value.value) : undefined
  return word === undefined ? pathOf(own, key, params, context) : { value: word }
}

function pathOf(
  own: Fields,
  key: string,
  params: readonly string[],
  { problems }: StepContext,
): { path: readonly string[] } | undefined {
  const value = own.take(key)?.value
  if (!value) return undefined
  const hint = `Write it down, or name a parameter of the step: ${params.join(', ') || 'it has none'}.`
  if (value.kind !== 'scalar' || typeof value.value !== 'string') {
    problems.add('wrong_type', value, `"${key}" must not be ${kindOf(value)}.`, hint)
    return undefined
  }
  const path = value.value.split('.')
  if (!params.includes(path[0] ?? '')) {
    problems.add('unknown_input', value, `The step is not given "${shorten(value.value)}".`, hint)
    return undefined
  }
  return { path }
}

/** The shortest way to say it. */
export function writeGoverns({
  action,
  amount,
  risk,
  classification,
  deadline,
  argumentsSchema,
}: Governed): unknown {
  const given = present({
    amount: amount && written(amount),
    risk: risk && written(risk),
    classification: classification && written(classification),
    deadline: deadline && formatDuration(deadline.ms),
    on_deadline: deadline && deadline.rule !== 'expire' ? deadline.rule : undefined,
    arguments_schema: argumentsSchema,
  })
  return Object.keys(given).length === 0 ? action : { action, ...given }
}

const written = <Value>(given: Given<Value>): Value | string =>
  'value' in given ? given.value : given.path.join('.')
