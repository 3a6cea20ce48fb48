import { InputMistake } from '../input/input-mistake.ts'
import { readTable } from '../input/read-table.ts'

/** What people do about a refund, in this example. */
export const PLAYS = ['small', 'delegated', 'large', 'unanswered', 'approves_itself', 'changed'] as const
export type Play = (typeof PLAYS)[number]

/** Somebody who wants money back. */
export interface RefundRequest {
  order: string
  customer: string
  /** US dollars. */
  paid: number
  complaint: string
  /** online or counter. */
  where: string
  play: Play
}

/** The refunds of a file; every mistake is an {@link InputMistake} with its line. */
export function readRefunds(file: string): RefundRequest[] {
  return readTable(file, ['order', 'customer', 'paid', 'complaint', 'where', 'play']).map(
    ({ line, cells }) => {
      const play = PLAYS.find((each) => each === cells['play'])
      const paid = Number(cells['paid'])
      if (!play) throw new InputMistake(`${file}, line ${line}: play is one of ${PLAYS.join(', ')}.`)
      if (!Number.isFinite(paid) || paid <= 0)
        throw new InputMistake(`${file}, line ${line}: paid is a sum above 0.`)
      const text = (name: string): string => cells[name] ?? ''
      return {
        order: text('order'),
        customer: text('customer'),
        paid,
        complaint: text('complaint'),
        where: text('where'),
        play,
      }
    },
  )
}
