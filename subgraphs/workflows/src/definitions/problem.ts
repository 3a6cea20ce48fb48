/** Everything that can be wrong with a definition: stable code → what it means. */
export const DEFINITION_PROBLEMS = {
  text_too_large: 'The text is longer than 1 MiB.',
  too_complex: 'Too many values, steps, expressions or levels of nesting.',
  syntax: 'The text is not valid YAML or JSON.',
  unsafe_key: 'A key such as __proto__ that no definition may use.',
  duplicate_key: 'The same key twice in one mapping.',
  unknown_key: 'A key that this format does not know.',
  missing_key: 'A key that must be there is not.',
  wrong_type: 'A value of another kind than the key wants.',
  out_of_range: 'A number outside what is allowed.',
  invalid_name: 'A name that cannot be one, or that means something else.',
  conflicting_keys: 'Two keys that say the same thing, or of which only one can hold.',
  unknown_format: 'A format that this platform does not read.',
  missing_agent: 'A step of work without an agent or a capability.',
  unknown_agent: 'An agent that does not exist in this organization.',
  unknown_capability: 'A capability that no agent of this organization has.',
  unknown_action: 'An action that the catalogue of governed actions does not have.',
  unknown_workflow: 'A workflow that does not exist in this organization.',
  not_permitted: 'In a plan of an agent: somebody or something that its step does not permit.',
  invalid_step_number: 'A step whose key has no number prefix, or one used by another step.',
  duplicate_step_name: 'Two steps with one name.',
  unknown_step: 'A reference to a step that does not exist.',
  ambiguous_next: 'Alternatives (7a, 7b) follow a step that does not choose between them.',
  unreachable_step: 'A step that no path from the first one reaches.',
  cycle: 'A way back to a step that already ran.',
  unbounded_loop: 'A repetition without a bound.',
  impossible_join: 'A join that waits for more than can arrive.',
  crossing_branches: 'Ways that part to run side by side and do not come together in one step.',
  conflicting_output:
    'A name that two branches give a value side by side, or that already means something there.',
  unknown_input: 'A name that no step produces and the trigger does not carry.',
  input_not_yet_produced: 'A name that is produced, but by no step that can run before.',
  invalid_expression: 'What is not a CEL expression, or one of the wrong result.',
  invalid_schema: 'What is not a JSON Schema (draft 2020-12) that can be checked in bounded time.',
  type_mismatch: 'A value used as another type than its schema says it has.',
} as const

/** The code of a problem; see {@link DEFINITION_PROBLEMS}. */
export type DefinitionProblemCode = keyof typeof DEFINITION_PROBLEMS

/** A place in the text; both count from 1. */
export type Position = { readonly line: number; readonly column: number }

/** One thing wrong with a definition. `line` and `column` are null when an object, not a text, was read. */
export type DefinitionProblem = {
  readonly code: DefinitionProblemCode
  readonly message: string
  /** Keys and indexes from the root, as `steps.6_decision_point.if_true`. */
  readonly path: string
  readonly line: number | null
  readonly column: number | null
  readonly hint: string
}

/** Where a problem is: path from the root, and position if a text was read. */
export type Place = { readonly path: readonly string[]; readonly at?: Position | undefined }

const MOST_PROBLEMS = 100

/** Collects every problem of a definition, so that its author sees all of them at once (100 at most). */
export class ProblemList {
  readonly #problems: DefinitionProblem[] = []

  /** Notes a problem at a place. */
  add(code: DefinitionProblemCode, place: Place, message: string, hint: string): void {
    if (this.full) return
    this.#problems.push({
      code,
      message,
      path: place.path.join('.'),
      line: place.at?.line ?? null,
      column: place.at?.column ?? null,
      hint,
    })
  }

  /** No further problem is kept: what would be costly to say about it need not be found out. */
  get full(): boolean {
    return this.#problems.length >= MOST_PROBLEMS
  }

  get empty(): boolean {
    return this.#problems.length === 0
  }

  /** The problems in the order of the text. */
  inOrder(): DefinitionProblem[] {
    return this.#problems.toSorted(
      (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    )
  }
}
