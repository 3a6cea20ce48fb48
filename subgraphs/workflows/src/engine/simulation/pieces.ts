/** What the steps of a random workflow are drawn from: as often as they stand here. */
export const PIECES = [
  ...['task', 'task', 'task', 'task', 'task', 'task', 'parallel', 'parallel', 'map', 'map', 'map', 'loop'],
  ...['choice', 'signal', 'timer', 'review', 'event', 'message', 'sub', 'sub', 'transform'],
] as const

/** What a step is made as. */
export type Piece = (typeof PIECES)[number]
