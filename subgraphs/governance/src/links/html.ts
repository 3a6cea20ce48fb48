const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** As text and nothing else; what turns the direction of a text, or is not seen, is shown as its code. */
export const escaped = (text: string): string =>
  text
    .replaceAll(/[&<>"']/g, (each) => ENTITIES[each] ?? each)
    .replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, (each) => `\\u{${each.codePointAt(0)?.toString(16)}}`)
