import type { NotificationRow } from '@tutti/governance/domain'

/** What is told, with the link that its one reader decides by; null: there is none. */
export interface Telling extends NotificationRow {
  link: string | null
}

/**
 * A telling's text, a paragraph each: what we say, a line each, then the link, and last what others say, each line of it marked
 * with `> `, so that no word of theirs passes for one of ours. `shown` is done to all that holds words of others.
 */
export function writeLines(
  { message: { lines, said }, link }: Telling,
  shown: (text: string) => string = (text) => text,
): string[] {
  const theirs = said?.trim() ? said.trim().split(BREAKS) : []
  return [
    ...lines.map((line) => shown(oneLine(line))),
    ...(link === null ? [] : [`Decide without signing in; this link is yours alone and works once: ${link}`]),
    ...(theirs.length === 0
      ? []
      : [
          [
            'Written by who raised it, and not by Tutti:',
            ...theirs.map((line) => `> ${shown(oneLine(line))}`),
          ].join('\n'),
        ]),
  ]
}

const BREAKS = /\r\n|[\n\v\f\r\u{85}\u{2028}\u{2029}]/u

/** In one line whatever it holds; what turns the direction of a text, or is not seen, is shown as its code. */
export const oneLine = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, (each) => `\\u{${each.codePointAt(0)?.toString(16)}}`)
    .trim()
