import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { ARTICLE_COLUMNS, type ArticleRow } from './article-row.ts'

/** Articles by id, in one read; an id that is not of this organization is left out. */
export async function loadArticles(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ArticleRow>> {
  const rows = await database.readTenant<ArticleRow>(
    actor,
    `select ${ARTICLE_COLUMNS} from article where organization_id = $1::uuid and id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
