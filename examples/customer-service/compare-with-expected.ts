import { readTable } from '../input/read-table.ts'
import type { Outcome } from './outcome.ts'

/** How the endings compare with what the example's author would have done. */
export interface Comparison {
  /** Messages with a clear expectation that ended as expected. */
  agreed: number
  /** Messages with a clear expectation that ended in a reply or with a person. */
  judged: number
  /** Meant for a person and answered all the same: the worse mistake. */
  wronglyAnswered: Outcome[]
  /** Answerable and given to a person: the cheaper mistake. */
  wronglyEscalated: Outcome[]
}

/** Compares by message id with a table of `id,expected` (answer, person, either). */
export function compareWithExpected(outcomes: readonly Outcome[], file: string): Comparison {
  const expected = new Map(
    readTable(file, ['id', 'expected']).map(({ cells }) => [cells['id'], cells['expected']]),
  )
  const result: Comparison = { agreed: 0, judged: 0, wronglyAnswered: [], wronglyEscalated: [] }
  for (const outcome of outcomes) {
    const wanted = expected.get(outcome.message.id)
    if (wanted !== 'answer' && wanted !== 'person') continue
    if (outcome.ending !== 'answered' && outcome.ending !== 'escalated') continue
    result.judged++
    if ((outcome.ending === 'answered') === (wanted === 'answer')) result.agreed++
    else (wanted === 'person' ? result.wronglyAnswered : result.wronglyEscalated).push(outcome)
  }
  return result
}
