/** The payload that all workflows here are made for. */
export const INPUT = { n: 3, none: [], two: [0, 1], five: [0, 1, 2, 3, 4] }
