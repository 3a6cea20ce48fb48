/** Bytes of UTF-8 that the JSON of a run's input, or of what a step puts out, may have: 2 MiB. */
export const MOST_VALUE_BYTES = 2 * 1024 * 1024
