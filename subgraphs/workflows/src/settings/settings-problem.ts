import { type DefinitionProblem, type Place, ProblemList } from '../definitions/problem.ts'

/** What can be wrong with settings besides what can be wrong with any document. */
type OwnCode = 'cannot_be_turned_off'

/** One thing wrong with a document of settings, with its place. */
export type SettingsProblem = Omit<DefinitionProblem, 'code'> & {
  readonly code: DefinitionProblem['code'] | OwnCode
}

/** Everything wrong with a document of settings. */
export class SettingsProblems {
  /** For the readers of trees. */
  readonly list = new ProblemList()
  readonly #own: SettingsProblem[] = []

  /** Notes a problem at a place. */
  add(code: SettingsProblem['code'], place: Place, message: string, hint: string): void {
    if (code !== 'cannot_be_turned_off') return this.list.add(code, place, message, hint)
    const { line = null, column = null } = place.at ?? {}
    this.#own.push({ code, message, path: place.path.join('.'), line, column, hint })
  }

  get empty(): boolean {
    return this.list.empty && this.#own.length === 0
  }

  /** The problems in the order of the text. */
  inOrder(): SettingsProblem[] {
    return [...this.list.inOrder(), ...this.#own].toSorted(
      (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    )
  }
}
