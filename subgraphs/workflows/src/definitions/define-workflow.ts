import { fail } from '@tutti/schema'
import type { JsonSchema, WorkflowDefinition } from './definition.ts'
import { readDefinition } from './read-definition.ts'
import type { ReadOptions } from './read-definition.ts'
import { Steps } from './steps.ts'
import type { Retry } from './steps.ts'

/** What a workflow says about itself; the keys are those of the YAML. `Inputs` are the names of the payload. */
export type WorkflowSettings<Inputs extends string> = {
  readonly name: string
  readonly description?: string
  readonly trigger?: string
  readonly inputs?: readonly Inputs[]
  /** -10 to 10. */
  readonly priority?: number
  /** Limit of the run's own time, as `2h`. */
  readonly timeout?: string
  readonly concurrency?: number | { readonly key?: string; readonly max: number }
  readonly schemas?: {
    readonly input?: JsonSchema
    readonly state?: Readonly<Record<string, JsonSchema>>
    readonly output?: JsonSchema
  }
  readonly error_handling?: {
    readonly retry?: Retry
    readonly timeout?: string
    readonly fallback_action?: string
  }
}

/**
 * A workflow written in TypeScript: the same keys, checks and result as the YAML of the platform's own format, with the
 * names that a step can read known to the compiler. `writeDefinition` gives its text, to be applied.
 *
 * @throws INVALID_DOCUMENT with all mistakes, each with the path of its key.
 */
export function defineWorkflow<const Inputs extends string = never>(
  settings: WorkflowSettings<Inputs>,
  steps: (steps: Steps<Inputs>) => Steps<string>,
  options: ReadOptions = {},
): WorkflowDefinition {
  const read = readDefinition({ format: 'tutti/1', ...settings, steps: steps(new Steps()).list }, options)
  if (read.ok) return read.definition
  const problems = read.problems.map(({ code, message, path, hint }) => ({ code, message, path, hint }))
  return fail('INVALID_DOCUMENT', { path: 'workflow', problems })
}
