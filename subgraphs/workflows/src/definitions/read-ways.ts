import type { DraftExit, DraftStep, Reading, StepContext } from './draft-step.ts'
import type { EdgeTrigger } from './definition.ts'
import { readExpression } from './read-expression.ts'
import { Fields } from './read-fields.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

/** Where a step leads, and what its conditions read. */
export type Ways = { readonly exits: readonly DraftExit[]; readonly readings: readonly Reading[] }

const MOST_WAYS = 100
const HINT =
  'Write a step, or a list as [{when: score > 0.8, next: publish}, revise]; an empty list leads nowhere.'

/**
 * Reads where a key leads: a step, or a list of `{when, next}` whose last entry may be a step for all other cases; an
 * empty list leads nowhere, and nothing follows. Undefined when the key is not written.
 */
export function readWays(
  fields: Fields,
  key: string,
  on: EdgeTrigger,
  context: StepContext,
): Ways | undefined {
  const value = fields.take(key)?.value
  if (!value) return undefined
  if (value.kind !== 'list') {
    const to = fields.reference(key, HINT)
    return { exits: to ? [{ on, to }] : [], readings: [] }
  }
  if (value.items.length > MOST_WAYS) {
    fields.problems.add(
      'too_complex',
      value,
      `"${key}" has ${value.items.length} ways.`,
      `At most ${MOST_WAYS}.`,
    )
    return { exits: [], readings: [] }
  }
  return joined(
    value.items.map((item, index) => {
      if (item.kind !== 'scalar') return readConditionalWay(item, on, context)
      if (typeof item.value === 'string' && item.value !== '' && index === value.items.length - 1)
        return { exits: [{ on, to: { name: item.value, place: item } }], readings: [] }
      fields.problems.add(
        'wrong_type',
        item,
        `"${key}" holds ${kindOf(item)} where a condition should be.`,
        HINT,
      )
      return { exits: [], readings: [] }
    }),
  )
}

/** Reads `{when, next}`. */
export function readConditionalWay(tree: Tree, on: EdgeTrigger, context: StepContext): Ways {
  if (tree.kind !== 'map') {
    context.problems.add(
      'wrong_type',
      tree,
      `A branch must be a mapping, not ${kindOf(tree)}.`,
      'Each branch is {when: <expression>, next: <step>}.',
    )
    return { exits: [], readings: [] }
  }
  const fields = new Fields(tree, tree, context.problems)
  const condition = fields.take('when')?.value
  const to = fields.reference('next')
  fields.missing('when', 'missing_key', 'Write the condition of this branch.')
  fields.missing('next', 'missing_key', 'Name the step of this branch, or end.')
  fields.refuseOthers()
  const when = condition && readExpression(condition, { wants: 'boolean', sees: 'after' }, context)
  return {
    exits: conditionalExit(on, to, when?.text),
    readings: when ? [when.reading] : [],
  }
}

/** A branch whose condition was refused is still looked up, so that its target is checked in the same reading. */
export function conditionalExit(
  on: EdgeTrigger,
  to: DraftExit['to'] | undefined,
  when: string | undefined,
): DraftExit[] {
  return to ? [{ on, to, when: when ?? 'false' }] : []
}

/** The ways of several keys, one after the other. */
export function joined(ways: readonly (Ways | undefined)[]): Ways {
  return {
    exits: ways.flatMap((way) => way?.exits ?? []),
    readings: ways.flatMap((way) => way?.readings ?? []),
  }
}

/** The one step that a key leads to on a trigger without conditions. */
export function readWay(fields: Fields, key: string, on: EdgeTrigger): Ways {
  const to = fields.reference(key)
  return { exits: to ? [{ on, to }] : [], readings: [] }
}

/**
 * Reads the ways that most steps have: `next` when it is done (absent: the step after it), `fallback_action` when it
 * failed for good, and `if_expired` where that can happen.
 */
export function readExits(
  fields: Fields,
  context: StepContext,
  { expires = false }: { expires?: boolean } = {},
): Ways & Pick<DraftStep, 'fallsThroughOn'> {
  const next = readWays(fields, 'next', 'done', context)
  const { exits, readings } = joined([
    next,
    expires ? readWay(fields, 'if_expired', 'expired') : undefined,
    readWay(fields, 'fallback_action', 'failed'),
  ])
  return { exits, readings, ...(next ? {} : { fallsThroughOn: 'done' }) }
}
