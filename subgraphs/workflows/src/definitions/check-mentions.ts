import { suggestName } from '@tutti/runtime'
import type { DraftStep, Mention, StepGroups } from './draft-step.ts'
import type { ProblemList } from './problem.ts'
import { shorten } from './tree.ts'

/** Names of something that exists, or whether a name is one. */
export type KnownNames = Iterable<string> | ((name: string) => boolean)

/** What exists outside of a definition; what is absent is not checked. */
export type Known = { readonly [What in Mention['what']]: KnownNames | undefined }

/** What a definition may name, beside that it must exist; what is absent is free. */
export type Permitted = { readonly [What in Mention['what']]?: readonly string[] }

/** Notes every agent, capability and workflow that a step names and that does not exist, or is not permitted. */
export function checkMentions(
  groups: StepGroups,
  known: Known,
  problems: ProblemList,
  permitted: Permitted = {},
): void {
  const names = {
    agent: setOf(known.agent),
    capability: setOf(known.capability),
    workflow: setOf(known.workflow),
  }
  const exists = ({ what, name }: Mention): boolean => {
    const among = known[what]
    return (
      among === undefined || (typeof among === 'function' ? among(name) : (names[what]?.has(name) ?? false))
    )
  }
  for (const mention of mentionsOf(groups)) {
    const { what, name, place } = mention
    const free = permitted[what]
    if (problems.full) continue
    if (free && !free.includes(name)) {
      const hint =
        free.length === 0 ? 'None is permitted here.' : `Permitted: ${free.map(shorten).join(', ')}.`
      problems.add('not_permitted', place, `The ${what} "${shorten(name)}" is not permitted here.`, hint)
      continue
    }
    if (exists(mention)) continue
    const similar = suggestName(name, names[what] ?? [])
    const hints = {
      agent: 'Register the agent first, or correct the name.',
      capability: 'Register an agent that has it first, or correct the name.',
      workflow: 'Apply that workflow first, or correct the name.',
    }
    const message =
      what === 'capability'
        ? `No agent has the capability "${shorten(name)}".`
        : `There is no ${what} "${shorten(name)}".`
    problems.add(`unknown_${what}`, place, message, similar ? `Did you mean "${similar}"?` : hints[what])
  }
}

function setOf(known: KnownNames | undefined): ReadonlySet<string> | undefined {
  return known === undefined || typeof known === 'function' ? undefined : new Set(known)
}

function* mentionsOf(groups: StepGroups): Generator<Mention> {
  for (const step of everyStep(groups)) yield* step.mentions
}

/** All steps, those inside of steps included. */
function* everyStep(groups: StepGroups): Generator<DraftStep> {
  for (const step of groups.flat()) {
    yield step
    for (const body of step.bodies) yield* everyStep(body.groups)
  }
}
