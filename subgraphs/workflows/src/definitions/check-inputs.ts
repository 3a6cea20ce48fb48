import { suggestName } from '@tutti/runtime'
import type { NodeId } from './definition.ts'
import { follow } from './link-steps.ts'
import type { LinkedSteps } from './link-steps.ts'
import type { Place, ProblemList } from './problem.ts'
import type { DraftStep } from './read-step.ts'
import { shorten } from './tree.ts'

/** What a trigger carries: the names an author declared, or nothing, and then they are inferred. */
export type Payload = {
  readonly declared: readonly string[] | undefined
  readonly trigger: string | undefined
}

/**
 * Notes every name that nothing can have produced when it is read, and returns the payload names in use. A name that
 * is produced on some path only is fine: on the others it is null.
 *
 * Without declared `inputs`, the payload is what the first step reads (nothing else could supply it) and what the
 * trigger's name ends in: `incoming_customer_message` carries `customer_message`. All else must come from a step, so
 * that a misspelt name is an error and not a silent null.
 */
export function checkInputs(
  linked: LinkedSteps,
  entry: NodeId,
  payload: Payload,
  problems: ProblemList,
): string[] {
  const producers = producersOf(linked)
  const sources = Map.groupBy(
    linked.edges.map(({ edge }) => edge),
    (edge) => edge.to,
  )
  const before = new Map([...sources].map(([id, edges]) => [id, edges.map((edge) => edge.from)]))
  const fromTrigger = payloadNames(linked, entry, payload, producers)
  const used = new Set<string>(payload.declared)

  for (const [id, step] of linked.steps) {
    const earlier = follow(id, before)
    for (const { name, place } of namesRead(step)) {
      const made = producers.get(name)
      if (made?.some((producer) => producer !== id && earlier.has(producer))) continue
      if (fromTrigger.has(name)) used.add(name)
      else note(name, place, step, made, [...producers.keys(), ...fromTrigger], linked, problems)
    }
  }
  return [...used]
}

function* namesRead(step: DraftStep): Generator<{ name: string; place: Place }> {
  for (const { binding, place } of step.inputs) yield { name: binding.path[0] ?? '', place }
  yield* step.variables
}

function producersOf(linked: LinkedSteps): Map<string, NodeId[]> {
  const producers = new Map<string, NodeId[]>()
  for (const [id, { node }] of linked.steps) {
    if (!('output' in node) || node.output === undefined) continue
    producers.set(node.output, [...(producers.get(node.output) ?? []), id])
  }
  return producers
}

function payloadNames(
  linked: LinkedSteps,
  entry: NodeId,
  { declared, trigger }: Payload,
  producers: ReadonlyMap<string, unknown>,
): Set<string> {
  if (declared) return new Set(declared)
  const names = new Set<string>()
  const words = trigger?.split('_') ?? []
  for (let from = 0; from < words.length; from += 1) names.add(words.slice(from).join('_'))
  const first = linked.steps.get(entry)
  for (const { name } of first ? namesRead(first) : []) if (!producers.has(name)) names.add(name)
  return names
}

function note(
  name: string,
  place: Place,
  step: DraftStep,
  made: readonly NodeId[] | undefined,
  known: readonly string[],
  linked: LinkedSteps,
  problems: ProblemList,
): void {
  const id = step.node.id
  if (made) {
    problems.add(
      'input_not_yet_produced',
      place,
      `"${shorten(name)}" is produced by "${made.join('", "')}", which cannot run before "${id}".`,
      'Move the step that produces it forward.',
    )
    return
  }
  const namesake = linked.steps.get(name)?.node
  const output = namesake && 'output' in namesake ? namesake.output : undefined
  const similar = output ?? suggestName(name, known)
  const declare = `declare it as payload of the trigger: inputs: [${shorten(name)}]`
  problems.add(
    'unknown_input',
    place,
    `Nothing produces "${shorten(name)}", which "${id}" reads.`,
    similar
      ? `Did you mean "${similar}"? Otherwise ${declare}.`
      : `Let an earlier step have it as output, or ${declare}.`,
  )
}
