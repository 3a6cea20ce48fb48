import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { ArticleRow } from '../articles/article-row.ts'
import { SEARCH_SQL } from './search-sql.ts'
import { tellingWords } from './telling-words.ts'

const LONGEST_TEXT = 1_000_000

const input = z.object({
  text: z.string().max(LONGEST_TEXT, `A text to search by has at most ${LONGEST_TEXT} characters.`),
  first: z.int().min(1).max(50).nullish(),
  language: z.string().max(35).nullish(),
  tags: z.array(z.string().max(100)).max(50).nullish(),
})

/** What {@link searchArticles} takes. */
export type SearchArticlesRequest = z.input<typeof input>

/** An article found: how well it fits (0 to 1) and the passage that does. */
export interface ArticleHit {
  article: ArticleRow
  score: number
  excerpt: string
}

/**
 * Searches by the words of a text in each article's own language, rare words counting most, and by similar spelling
 * in titles and tags; best first. Articles in `language` and with one of `tags` are preferred. The score says how much
 * of the text an article covers, so it compares across searches: what fits nothing finds nothing, or little.
 */
export async function searchArticles(
  { database }: { database: Database },
  actor: Actor,
  request: SearchArticlesRequest,
): Promise<ArticleHit[]> {
  const { text, first, language, tags } = parseInput(input, request, '')
  const words = tellingWords(text)
  if (words.length === 0) return []
  const rows = await database.readTenant<ArticleRow & { score: number; excerpt: string }>(actor, SEARCH_SQL, [
    actor.organizationId,
    words,
    language?.slice(0, 2).toLowerCase() ?? null,
    (tags ?? []).map((tag) => tag.replaceAll('\0', '')),
    first ?? 5,
    text.slice(0, 300).toLowerCase().replaceAll('\0', ''),
  ])
  return rows.map(({ score, excerpt, ...article }) => ({ article, score, excerpt: plainText(excerpt) }))
}

/** Markdown's marks mean nothing in a passage cut out of its page. */
function plainText(excerpt: string): string {
  return excerpt
    .replace(/[*_#`>|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}
