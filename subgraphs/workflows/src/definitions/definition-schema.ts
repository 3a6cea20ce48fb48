import type { WorkflowNode } from './definition.ts'
import {
  condition,
  count,
  duration,
  mapping,
  oneOf,
  ref,
  stepName,
  text,
  valueName,
} from './kinds/schema-parts.ts'
import { kindNames, STEP_KINDS } from './kinds/step-kinds.ts'
import { DURATION_PATTERN } from './read-duration.ts'
import { MOST_STEPS } from './read-step.ts'

type Part = Readonly<Record<string, unknown>>
type Kind = WorkflowNode['kind']

/**
 * The JSON Schema (draft 2020-12) of a workflow in the platform's own format, by which an editor completes and checks.
 * It knows keys and types; names, expressions and ways are checked when the workflow is read.
 */
export function definitionSchema(): Part {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Tutti workflow (tutti/1)',
    description: "A workflow in the platform's own format.",
    ...mapping(
      {
        format: { const: 'tutti/1', description: 'The format; a list of steps tells it too.' },
        name: text('The name of the workflow.'),
        description: { type: 'string', minLength: 1, description: 'What it is for.' },
        trigger: text('The event that starts it; the payload is what its name ends in.'),
        inputs: {
          description: "Names of the trigger's payload.",
          anyOf: [{ type: 'string' }, { type: 'array', items: valueName('A name.') }],
        },
        priority: count(-10, 10, 'A step up is worth an hour of waiting.'),
        ...duration('timeout', "Limit of the run's own time; waits are not counted."),
        concurrency: {
          description: 'The runs that may be under way at once: in all, or for each value of a key.',
          anyOf: [
            { type: 'integer', minimum: 1, maximum: 100_000 },
            mapping(
              {
                key: { type: ['string'], description: "An expression over the trigger's payload." },
                max: count(1, 100_000, 'Runs at once.'),
              },
              ['max'],
            ),
          ],
        },
        schemas: {
          description: 'What values must look like; checked when they come.',
          ...mapping({
            input: ref('schema', "The trigger's payload."),
            state: {
              type: 'object',
              additionalProperties: ref('schema'),
              description: 'Names that steps produce.',
            },
            output: ref('schema', "The outputs of the run's end."),
          }),
        },
        error_handling: {
          description: 'What holds for every step that says nothing else.',
          ...mapping({
            retry: ref('retry'),
            retry_attempts: count(0, 100, 'Tries after the first one.'),
            retry_delay_seconds: { type: 'number', minimum: 0, maximum: 86_400 },
            ...duration('timeout', 'Limit of one attempt.'),
            fallback_action: stepName('The step that takes over when one has failed for good.'),
          }),
        },
        steps: ref('steps'),
      },
      ['name', 'steps'],
    ),
    $defs: {
      steps: {
        type: 'array',
        description: 'Steps in their order: each leads to the one after it unless it says otherwise.',
        minItems: 1,
        maxItems: MOST_STEPS,
        items: ref('step'),
      },
      step: { anyOf: kindNames().map((kind) => ref(kind)) },
      ...Object.fromEntries(kindNames().map((kind) => [kind, stepSchema(kind)])),
      ...PARTS,
    },
  }
}

function stepSchema(kind: Kind): Part {
  const { types, properties, required = [], rules } = STEP_KINDS[kind]
  return mapping(
    {
      name: stepName('The name of the step; others refer to it, paths end with it.'),
      type: oneOf(types, 'What kind of step it is; mostly its keys tell.'),
      description: { type: 'string', minLength: 1, description: 'What it is for.' },
      ...properties,
      ...waysOf(kind),
    },
    ['name', ...required],
    rules,
  )
}

function waysOf(kind: Kind): Part {
  if (kind === 'end') return {}
  const fallback = { fallback_action: stepName('Where it goes on when the step has failed for good.') }
  return kind === 'condition' || kind === 'review'
    ? fallback
    : { next: ref('ways', 'Where it leads; absent: the step after this one.'), ...fallback }
}

const PARTS: Part = {
  duration: {
    type: 'string',
    minLength: 2,
    pattern: DURATION_PATTERN,
    description: 'As 90s, 1h30m, 2d, 500ms or PT1H30M.',
  },
  input: {
    description:
      'What the step is given: a name, a list of names, or a mapping of parameters to names, paths (text.title) and expressions ("= size(text.words)").',
    anyOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', maxItems: 100, items: { type: 'string', minLength: 1 } },
      {
        type: 'object',
        maxProperties: 100,
        propertyNames: valueName('A parameter.'),
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
    ],
  },
  schema: { type: ['object', 'boolean'], description: 'A JSON Schema, draft 2020-12.' },
  retry: {
    description: 'How often and how fast a step is tried again.',
    ...mapping({
      attempts: count(1, 101, 'Tries in all, the first included.'),
      ...duration('delay', 'Wait before the second try.'),
      factor: {
        type: 'number',
        minimum: 1,
        maximum: 100,
        description: 'How much longer each further wait is; 1: fixed.',
      },
      ...duration('max_delay', 'No wait is longer.'),
      jitter: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        description: 'Share of a wait that is left to chance.',
      },
      only: ref('codes', 'Only errors with these codes are tried again.'),
      never: ref('codes', 'Errors with these codes are never tried again.'),
    }),
  },
  codes: { anyOf: [{ type: 'string' }, { type: 'array', maxItems: 100, items: { type: 'string' } }] },
  ways: {
    anyOf: [
      stepName('A step, or end.'),
      {
        type: 'array',
        description:
          'Ways with conditions, the first that holds is taken; a last step is for all other cases. Empty: nowhere.',
        maxItems: 100,
        items: {
          anyOf: [
            stepName('A step, or end.'),
            mapping(
              { when: condition('When this way is taken.'), next: stepName('The step it leads to, or end.') },
              ['when', 'next'],
            ),
          ],
        },
      },
    ],
  },
  wayOrNone: { anyOf: [stepName('A step, or end.'), { type: 'array', maxItems: 0 }] },
}
