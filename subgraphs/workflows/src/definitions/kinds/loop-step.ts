import type { LoopNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import { readExpression } from '../read-expression.ts'
import { readExits } from '../read-ways.ts'
import { optional } from '../optional.ts'
import { condition, count, oneOf, ref, valueName } from './schema-parts.ts'
import { present } from './step-kind.ts'
import type { StepKind } from './step-kind.ts'

const MOST_TURNS = 10_000

/** Steps again and again, up to a bound. */
export const loopStep: StepKind<LoopNode> = {
  types: ['loop'],
  isMeantBy: (fields) => fields.has('while') || fields.has('max_turns') || fields.has('steps'),
  read(about, fields, context) {
    const whileTree = fields.take('while')?.value
    const holds = whileTree && readExpression(whileTree, { wants: 'boolean' }, context)
    const untilTree = fields.take('until')?.value
    const until = untilTree && readExpression(untilTree, { wants: 'boolean' }, context)
    const maxTurns = fields.number('max_turns', { min: 1, max: MOST_TURNS })
    fields.missing(
      'max_turns',
      'unbounded_loop',
      `Say how often at most: max_turns: 5 (${MOST_TURNS} at most).`,
    )
    const steps = fields.take('steps')?.value
    fields.missing('steps', 'missing_key', 'Write what is repeated: steps: [{name: ..., agent: ...}].')
    const groups = steps ? context.readBody(steps) : []
    const indexAs = fields.identifier('index_as')
    const node: LoopNode = {
      ...about,
      kind: 'loop',
      entry: groups[0]?.[0]?.node.id ?? '',
      ...optional('while', holds?.text),
      ...optional('until', until?.text),
      maxTurns: maxTurns ?? 1,
      onExhausted: fields.choice('on_exhausted', ['done', 'fail']) ?? usual(holds?.text, until?.text),
      ...optional('indexAs', indexAs),
    }
    return draftStep(node, fields.place, {
      ...readExits(fields, context),
      bodies: [
        {
          name: about.id,
          place: fields.placeOf('steps'),
          groups,
          locals:
            indexAs === undefined
              ? []
              : [{ name: indexAs, place: fields.placeOf('index_as'), schema: { type: 'integer' } }],
          closing: [holds, until].flatMap((condition) => (condition ? [condition.reading] : [])),
          names: 'shared',
        },
      ],
    })
  },
  write: (node, { body }) =>
    present({
      while: node.while,
      until: node.until,
      max_turns: node.maxTurns,
      on_exhausted: node.onExhausted === usual(node.while, node.until) ? undefined : node.onExhausted,
      index_as: node.indexAs,
      steps: body(node.id, node.entry),
    }),
  properties: {
    while: condition('Checked before every turn: none follows when false.'),
    until: condition('Checked after every turn: none follows when true.'),
    max_turns: count(1, MOST_TURNS, 'The bound: no more turns than this.'),
    on_exhausted: oneOf(
      ['done', 'fail'],
      'What it means that max_turns were not enough; absent: fail with a condition, done without.',
    ),
    index_as: valueName("The name of the turn's number, from 0."),
    steps: ref('steps'),
  },
  required: ['steps', 'max_turns'],
}

/** A condition that never came true is a failure; where there is none, the turns are simply over. */
function usual(holds: string | undefined, until: string | undefined): LoopNode['onExhausted'] {
  return holds === undefined && until === undefined ? 'done' : 'fail'
}
