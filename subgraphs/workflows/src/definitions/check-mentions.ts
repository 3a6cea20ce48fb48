import { suggestName } from '@tutti/runtime'
import type { DraftStep, Mention, StepGroups } from './draft-step.ts'
import type { ProblemList } from './problem.ts'
import { shorten } from './tree.ts'

/** Names of something that exists, or whether a name is one. */
export type KnownNames = Iterable<string> | ((name: string) => boolean)

/** What exists outside of a definition; what is absent is not checked. */
export type Known = { readonly [What in Mention['what']]: KnownNames | undefined }

/** Notes every agent, capability and workflow that a step names and that does not exist. */
export function checkMentions(groups: StepGroups, known: Known, problems: ProblemList): void {
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
    if (exists(mention) || problems.full) continue
    const { what, name, place } = mention
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
