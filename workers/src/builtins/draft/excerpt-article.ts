import { contentStems, plain } from './content-words.ts'

/** The most of one article that goes into a reply, in characters. */
const MOST_CHARACTERS = 1200

/** Markdown as people read it in a mail: no marks, links by their words, lists kept as lists. */
export function readableText(markdown: string): string {
  return markdown
    .replace(/\r\n?/g, '\n')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^#{1,6}\s+/gm, '')
    .replace(/^\s*[*+]\s+/gm, '- ')
    .replace(/\*\*|__|`/g, '')
    .replace(/(^|[\s(])\*(\S[^*\n]*)\*/g, '$1$2')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

/**
 * What of an article answers these questions: all of it when it is short, else the paragraphs that
 * share most words with them, in the article's order.
 */
export function excerptArticle(body: string, questions: readonly string[]): string {
  const text = readableText(body)
  if (text.length <= MOST_CHARACTERS) return text
  const stems = contentStems(questions.join(' '))
  const paragraphs = text.split(/\n\n+/).map((paragraph, index) => {
    const words = plain(paragraph)
    return { paragraph, index, shared: stems.filter((stem) => words.includes(stem)).length }
  })
  const chosen: typeof paragraphs = []
  let length = 0
  for (const one of [...paragraphs].sort(
    (left, right) => right.shared - left.shared || left.index - right.index,
  )) {
    if (chosen.length > 0 && length + one.paragraph.length > MOST_CHARACTERS) continue
    chosen.push(one)
    length += one.paragraph.length
  }
  return chosen
    .sort((left, right) => left.index - right.index)
    .map((one) => one.paragraph.slice(0, MOST_CHARACTERS * 2))
    .join('\n\n')
}
