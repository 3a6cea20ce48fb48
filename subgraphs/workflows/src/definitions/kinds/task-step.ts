import { isDeepStrictEqual } from 'node:util'
import type { Assignee, Compensation, PlanBounds, RetryPolicy, TaskNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import type { Mention, StepContext } from '../draft-step.ts'
import { readErrorFields } from '../read-error-handling.ts'
import { DAY, formatDuration, readDuration } from '../read-duration.ts'
import type { Fields } from '../read-fields.ts'
import { readInputs, STEP_OUTPUT } from '../read-inputs.ts'
import type { ReadInputs } from '../read-inputs.ts'
import { readJsonSchema } from '../read-json-schema.ts'
import { joined, readWay, readWays } from '../read-ways.ts'
import { kindOf, shorten } from '../tree.ts'
import { optional } from '../optional.ts'
import { count, duration, mapping, names, ref, text, valueName } from './schema-parts.ts'
import { present } from './step-kind.ts'
import type { StepKind, WrittenStep } from './step-kind.ts'
import { readOutput } from './read-output.ts'
import { writeInputs } from './write-inputs.ts'
import { GOVERNS, readGoverns, writeGoverns } from './read-governs.ts'

const PLAN = { maxTasks: 20, maxDepth: 2 } as const
const MOST_TASKS = 1_000
const DEEPEST_PLAN = 5

/** Work of an agent. */
export const taskStep: StepKind<TaskNode> = {
  types: ['agent', 'task'],
  isMeantBy: (fields) => fields.has('agent') || fields.has('capability'),
  read(about, fields, context) {
    const { assignee, mentions } = readAssignee(fields)
    const input = fields.take('input')?.value
    const inputs: ReadInputs = input ? readInputs(input, context) : { bindings: [], readings: [] }
    const schemaTree = fields.take('output_schema')?.value
    const outputSchema = schemaTree && readJsonSchema(schemaTree, context.problems)
    const { output, makes } = readOutput(fields, outputSchema)
    const { retry, timeoutMs, fallback } = readErrorFields(fields, context.defaults)
    const compensate = readCompensation(fields, inputs, context)
    const governs = readGoverns(fields, inputs, context)
    const plan = readPlanBounds(fields)
    const node: TaskNode = {
      ...about,
      kind: 'task',
      ...assignee,
      inputs: inputs.bindings,
      ...output,
      ...optional('outputSchema', outputSchema),
      retry,
      timeoutMs,
      ...optional('stepTimeoutMs', readDuration(fields, 'step_timeout', { min: 1, max: 366 * DAY })),
      ...optional('heartbeatMs', readDuration(fields, 'heartbeat_timeout', { min: 100, max: 7 * DAY })),
      ...optional('compensate', compensate?.value),
      ...optional('governs', governs),
      ...optional('plan', plan?.value),
    }
    const next = readWays(fields, 'next', 'done', context)
    const { exits, readings } = joined([
      { exits: [], readings: inputs.readings },
      next,
      fallback
        ? { exits: [{ on: 'failed', to: fallback }], readings: [] }
        : readWay(fields, 'fallback_action', 'failed'),
    ])
    return draftStep(node, fields.place, {
      exits,
      readings,
      mentions: [...mentions, ...(compensate?.mentions ?? []), ...(plan?.mentions ?? [])],
      makes,
      ...(next ? {} : { fallsThroughOn: 'done' }),
    })
  },
  write: (node, { errorHandling }) =>
    present({
      ...assigneeOf(node),
      input: writeInputs(node.inputs),
      output: node.output,
      output_schema: node.outputSchema,
      retry: writeRetry(node.retry, errorHandling.retry),
      timeout: node.timeoutMs === errorHandling.timeoutMs ? undefined : formatDuration(node.timeoutMs),
      step_timeout: node.stepTimeoutMs === undefined ? undefined : formatDuration(node.stepTimeoutMs),
      heartbeat_timeout: node.heartbeatMs === undefined ? undefined : formatDuration(node.heartbeatMs),
      compensate: node.compensate && writeCompensation(node.compensate),
      governs: node.governs && writeGoverns(node.governs),
      plan:
        node.plan &&
        present({
          max_tasks: node.plan.maxTasks,
          max_depth: node.plan.maxDepth,
          budget_usd: node.plan.budgetUsd,
          agents: node.plan.agents,
          capabilities: node.plan.capabilities,
        }),
    }),
  properties: {
    agent: text('The agent that does it.'),
    capability: text('Any agent that can do this does it.'),
    input: ref('input'),
    output: valueName('The name under which later steps find the result.'),
    output_schema: ref('schema', 'What the result must look like.'),
    retry: ref('retry'),
    retry_attempts: count(0, 100, 'Tries after the first one.'),
    retry_delay_seconds: { type: 'number', minimum: 0, maximum: 86_400 },
    ...duration('timeout', 'Limit of one attempt.'),
    ...duration('step_timeout', 'Limit of all attempts with the waits between them.'),
    ...duration('heartbeat_timeout', 'An attempt that reports no progress for so long is given up.'),
    compensate: {
      description: 'What undoes the step when the run fails later.',
      anyOf: [
        { type: 'string', minLength: 1 },
        mapping(
          {
            agent: text('The agent that undoes it.'),
            capability: text('Any agent that can undo it.'),
            input: ref(
              'input',
              'Of the parameters of the step and $output, its result; absent: all of them.',
            ),
          },
          [],
          { oneOf: [{ required: ['agent'] }, { required: ['capability'] }] },
        ),
      ],
    },
    governs: GOVERNS,
    plan: {
      description: 'The result may be a plan ($plan: steps, $tasks: sub-tasks), which is then carried out.',
      anyOf: [
        { type: 'boolean' },
        mapping({
          max_tasks: count(1, MOST_TASKS, 'Steps that may be done, with those of plans of its steps.'),
          max_depth: count(1, DEEPEST_PLAN, '1: no step of the plan may plan again.'),
          budget_usd: {
            type: 'number',
            minimum: 0,
            maximum: 1_000_000,
            description: 'No step begins once they have cost so much together.',
          },
          agents: names('The agents that may work; others are refused.'),
          capabilities: names('The capabilities that may be asked for; others are refused.'),
        }),
      ],
    },
  },
  rules: { oneOf: [{ required: ['agent'] }, { required: ['capability'] }] },
}

function readAssignee(fields: Fields): { assignee: Assignee; mentions: Mention[] } {
  const agent = fields.text('agent')
  const capability = fields.text('capability')
  const hint = 'Name the agent that does this step (or a capability), or give the step another type.'
  if (!fields.has('capability')) {
    fields.missing('agent', 'missing_agent', hint)
    const mentions: Mention[] =
      agent === undefined ? [] : [{ what: 'agent', name: agent, place: fields.placeOf('agent') }]
    return { assignee: { agent: agent ?? '' }, mentions }
  }
  if (fields.has('agent'))
    fields.problems.add(
      'conflicting_keys',
      fields.placeOf('capability'),
      'A step is done by an agent or by any that has a capability.',
      'Write agent or capability.',
    )
  const place = fields.placeOf('capability')
  return {
    assignee: { capability: capability ?? '' },
    mentions: capability === undefined ? [] : [{ what: 'capability', name: capability, place }],
  }
}

function assigneeOf(assignee: Assignee): WrittenStep {
  return assignee.agent === undefined ? { capability: assignee.capability } : { agent: assignee.agent }
}

function readCompensation(
  fields: Fields,
  step: ReadInputs,
  context: StepContext,
): { value: Compensation; mentions: readonly Mention[] } | undefined {
  const value = fields.take('compensate')?.value
  if (!value) return undefined
  if (value.kind === 'scalar') {
    const agent = fields.text('compensate')
    return agent === undefined
      ? undefined
      : { value: { agent }, mentions: [{ what: 'agent', name: agent, place: value }] }
  }
  const own = fields.mapping(
    'compensate',
    'Name the agent that undoes the step, or write {agent: ..., input: ...}.',
  )
  if (!own) return undefined
  const { assignee, mentions } = readAssignee(own)
  const input = own.take('input')?.value
  own.refuseOthers()
  if (!input) return { value: assignee, mentions }
  const { bindings, readings } = readInputs(input, context, [STEP_OUTPUT])
  const params = step.bindings.map(({ param }) => param)
  for (const { names, place } of readings) {
    const unknown = names.find((name) => name !== STEP_OUTPUT && !params.includes(name))
    if (unknown === undefined) continue
    context.problems.add(
      'unknown_input',
      place,
      `A compensation sees what its step was given and $output, not "${shorten(unknown)}".`,
      `Known here: ${[...params, STEP_OUTPUT].join(', ')}.`,
    )
  }
  return { value: { ...assignee, inputs: bindings }, mentions }
}

function writeCompensation(compensation: Compensation): unknown {
  const { agent, inputs } = compensation
  if (agent !== undefined && !inputs) return agent
  return present({
    ...assigneeOf(compensation),
    input: inputs && (writeInputs(inputs) ?? []),
  })
}

function readPlanBounds(fields: Fields): { value: PlanBounds; mentions: readonly Mention[] } | undefined {
  const value = fields.take('plan')?.value
  if (!value) return undefined
  if (value.kind === 'scalar') {
    if (typeof value.value === 'boolean') return value.value ? { value: PLAN, mentions: [] } : undefined
    fields.problems.add(
      'wrong_type',
      value,
      `"plan" must be true or a mapping, not ${kindOf(value)}.`,
      'Write true.',
    )
    return undefined
  }
  const own = fields.mapping('plan', 'As {max_tasks: 20, max_depth: 2, budget_usd: 5, agents: [writer]}.')
  if (!own) return undefined
  const agents = own.texts('agents')
  const capabilities = own.texts('capabilities')
  const bounds: PlanBounds = {
    maxTasks: own.number('max_tasks', { min: 1, max: MOST_TASKS }) ?? PLAN.maxTasks,
    maxDepth: own.number('max_depth', { min: 1, max: DEEPEST_PLAN }) ?? PLAN.maxDepth,
    ...optional('budgetUsd', own.number('budget_usd', { min: 0, max: 1_000_000, fraction: true })),
    ...optional('agents', agents),
    ...optional('capabilities', capabilities),
  }
  own.refuseOthers()
  const mentionsOf = (what: Mention['what'], key: string, named: readonly string[] = []): Mention[] =>
    named.map((name) => ({ what, name, place: own.placeOf(key) }))
  return {
    value: bounds,
    mentions: [
      ...mentionsOf('agent', 'agents', agents),
      ...mentionsOf('capability', 'capabilities', capabilities),
    ],
  }
}

/** What a policy says beyond the one it builds on; undefined when it says the same. */
export function writeRetry(retry: RetryPolicy, base: RetryPolicy): WrittenStep | undefined {
  const delays = retry.initialDelayMs !== base.initialDelayMs || retry.maxDelayMs !== base.maxDelayMs
  const differs = <T>(value: T, other: T) => (isDeepStrictEqual(value, other) ? undefined : value)
  const written = present({
    attempts: differs(retry.maxAttempts, base.maxAttempts),
    delay: delays ? formatDuration(retry.initialDelayMs) : undefined,
    factor: differs(retry.factor, base.factor),
    max_delay: delays ? formatDuration(retry.maxDelayMs) : undefined,
    jitter: differs(retry.jitter, base.jitter),
    only: differs(retry.only, base.only),
    never: differs(retry.never, base.never),
  })
  return Object.keys(written).length > 0 ? written : undefined
}
