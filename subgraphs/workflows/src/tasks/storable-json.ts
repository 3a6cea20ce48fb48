/** Every escape of a JSON text, whole, so that the backslash of one is not taken for the beginning of another. */
const ESCAPE = /\\(?:u(?:0000|d[89a-f][\da-f]{2})|[^])/g

/**
 * A value as JSON text that PostgreSQL can keep: NUL and halves of surrogate pairs become U+FFFD. For what agents say of
 * themselves, of which nothing is to be lost for a character.
 */
export function storableJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  return text.replace(ESCAPE, (escape) => (escape.length === 6 ? '\uFFFD' : escape))
}
