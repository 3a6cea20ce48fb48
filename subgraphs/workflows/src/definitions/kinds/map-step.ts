import type { MapNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import type { Made } from '../draft-step.ts'
import { readExpression } from '../read-expression.ts'
import { readExits } from '../read-ways.ts'
import { optional } from '../optional.ts'
import { JOIN_SCHEMA, ON_FAILURE_SCHEMA, readJoin, writeJoin } from './read-join.ts'
import { readOutput } from './read-output.ts'
import { count, expression, ref, valueName } from './schema-parts.ts'
import { present } from './step-kind.ts'
import type { StepKind } from './step-kind.ts'

const DEFAULT_ITEM = 'item'
const DEFAULT_MOST = 10_000
const MOST_ITEMS = 100_000

/** The same steps for every item of a list, items side by side. */
export const mapStep: StepKind<MapNode> = {
  types: ['map'],
  isMeantBy: (fields) => fields.has('over'),
  read(about, fields, context) {
    const overTree = fields.take('over')?.value
    fields.missing('over', 'missing_key', 'Name the list: over: articles.')
    const over = overTree && readExpression(overTree, { wants: 'list' }, context)
    const as = fields.identifier('as') ?? DEFAULT_ITEM
    const indexAs = fields.identifier('index_as')
    if (indexAs === as)
      fields.problems.add(
        'conflicting_output',
        fields.placeOf('index_as'),
        `"${as}" is the item already.`,
        'Give its number another name.',
      )
    const collectTree = fields.take('collect')?.value
    const collect = collectTree && readExpression(collectTree, { wants: 'any' }, context)
    const maxItems = fields.number('max_items', { min: 1, max: MOST_ITEMS }) ?? DEFAULT_MOST
    const steps = fields.take('steps')?.value
    fields.missing(
      'steps',
      'missing_key',
      'Write what is done for each item: steps: [{name: ..., agent: ...}].',
    )
    const groups = steps ? context.readBody(steps) : []
    const { output, makes } = readOutput(fields, { type: 'array' })
    const { exits, readings, ...falls } = readExits(fields, context)
    const node: MapNode = {
      ...about,
      kind: 'map',
      over: over?.text ?? '',
      as,
      ...optional('indexAs', indexAs),
      entry: groups[0]?.[0]?.node.id ?? '',
      ...optional('concurrency', fields.number('concurrency', { min: 1, max: MOST_ITEMS })),
      ...readJoin(fields, maxItems),
      ...optional('collect', collect?.text),
      ...output,
      maxItems,
    }
    const locals: Made[] = [{ name: as, place: fields.placeOf('as') }]
    if (indexAs !== undefined)
      locals.push({ name: indexAs, place: fields.placeOf('index_as'), schema: { type: 'integer' } })
    return draftStep(node, fields.place, {
      exits,
      ...falls,
      readings: [...(over ? [over.reading] : []), ...readings],
      makes,
      bodies: [
        {
          name: about.id,
          place: fields.placeOf('steps'),
          groups,
          locals,
          closing: collect ? [collect.reading] : [],
          names: 'own',
        },
      ],
    })
  },
  write: (node, { body }) =>
    present({
      over: node.over,
      as: node.as === DEFAULT_ITEM ? undefined : node.as,
      index_as: node.indexAs,
      steps: body(node.id, node.entry),
      concurrency: node.concurrency,
      ...writeJoin(node),
      collect: node.collect,
      max_items: node.maxItems === DEFAULT_MOST ? undefined : node.maxItems,
      output: node.output,
    }),
  properties: {
    over: expression('The list.'),
    as: valueName(`The name of the item in the steps; absent: ${DEFAULT_ITEM}.`),
    index_as: valueName('The name of its number, from 0.'),
    steps: ref('steps'),
    concurrency: count(1, MOST_ITEMS, 'Items under way at once; absent: all.'),
    join: JOIN_SCHEMA,
    on_failure: ON_FAILURE_SCHEMA,
    collect: expression('What an item results in; absent: the output of its last step.'),
    max_items: count(1, MOST_ITEMS, `A longer list fails the step; absent: ${DEFAULT_MOST}.`),
    output: valueName('The name of the list of results, in the order of the items.'),
  },
  required: ['over', 'steps'],
}
