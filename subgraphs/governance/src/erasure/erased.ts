/** What stands where something was forgotten. */
export const ERASED = 'erased'
