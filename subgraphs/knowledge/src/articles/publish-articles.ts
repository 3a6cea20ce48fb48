import { createHash } from 'node:crypto'
import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail, type NewEvent } from '@tutti/schema'
import { z } from 'zod'
import { ARTICLE_COLUMNS, type ArticleRow } from './article-row.ts'

const BODY_BYTES = 256 * 1024

const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'It must not hold the NUL character.')

const article = z.object({
  externalId: text(200),
  title: text(500),
  body: text(BODY_BYTES).refine((body) => Buffer.byteLength(body) <= BODY_BYTES, 'It has at most 256 KiB.'),
  language: z
    .string()
    .regex(/^[a-z]{2}$/i, 'An ISO 639-1 code, as en.')
    .nullish()
    .transform((code) => code?.toLowerCase() ?? 'en'),
  tags: z
    .array(text(100))
    .max(50)
    .nullish()
    .transform((tags) => [...new Set(tags)]),
})

const input = z
  .object({ articles: z.array(article).max(500, 'At most 500 articles at once.') })
  .superRefine(({ articles }, context) => {
    const seen = new Set<string>()
    articles.forEach(({ externalId }, index) => {
      const path = ['articles', index, 'externalId']
      if (seen.has(externalId))
        context.addIssue({ code: 'custom', path, message: 'It is in the list twice.' })
      seen.add(externalId)
    })
  })

/** Articles to publish, at most 500. */
export type PublishArticlesRequest = z.input<typeof input>

/**
 * Publishes articles, all or none, by their external ids: new ones are added, changed ones replaced, the others left
 * alone. Answers with all of them in the order given, and how many were new or changed; one event for each of those.
 */
export async function publishArticles(
  { database }: { database: Database },
  actor: Actor,
  request: PublishArticlesRequest,
): Promise<{ articles: ArticleRow[]; changed: number }> {
  const { articles } = parseInput(input, request)
  const given = articles.map((each) => ({ ...each, contentHash: hashOf(each) }))

  return database.inTenant(actor, async (tx) => {
    // Ordered by external id, so that two who publish the same articles wait for each other instead of deadlocking.
    const changed = await tx.sql<{ id: string; title: string }>(
      `insert into article (organization_id, external_id, title, body, language, tags, content_hash)
       select $1::uuid, a->>'externalId', a->>'title', a->>'body', a->>'language',
         array(select jsonb_array_elements_text(a->'tags')), a->>'contentHash'
       from jsonb_array_elements($2::jsonb) a order by a->>'externalId'
       on conflict (organization_id, external_id) do update set title = excluded.title, body = excluded.body,
         language = excluded.language, tags = excluded.tags, content_hash = excluded.content_hash, updated_at = now()
       where article.content_hash <> excluded.content_hash
       returning id, title`,
      actor.organizationId,
      JSON.stringify(given),
    )
    await tx.appendEvents(
      changed.map(({ id, title }): NewEvent => ({
        type: 'knowledge.published',
        subject: `article/${id}`,
        data: { articleId: id, title },
      })),
    )
    const rows = await tx.sql<ArticleRow>(
      `select ${ARTICLE_COLUMNS} from article where organization_id = $1::uuid and external_id = any($2::text[])`,
      actor.organizationId,
      given.map(({ externalId }) => externalId),
    )
    const byExternalId = new Map(rows.map((row) => [row.externalId, row]))
    return {
      articles: given.map(({ externalId }) => byExternalId.get(externalId) ?? fail('INTERNAL')),
      changed: changed.length,
    }
  })
}

function hashOf({ title, body, language, tags }: z.output<typeof article>): string {
  return createHash('sha256')
    .update(JSON.stringify([title, body, language, tags]))
    .digest('hex')
}
