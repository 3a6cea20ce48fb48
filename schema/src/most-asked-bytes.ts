/** Bytes of UTF-8 that the JSON of what people are asked about may have, as whatever governance is given: 256 KiB. */
export const MOST_ASKED_BYTES = 256 * 1024
/** How deeply it may be nested. */
export const MOST_ASKED_LEVELS = 64
