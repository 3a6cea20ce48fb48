import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { ARTICLE_COLUMNS, type ArticleRow } from './article-row.ts'

/** One page of the organization's articles, oldest first. */
export async function listArticles(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  page: PageArguments,
): Promise<Connection<ArticleRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<ArticleRow>(
    actor,
    `select ${ARTICLE_COLUMNS} from article
     where organization_id = $1::uuid and ($2::uuid is null or id > $2::uuid) order by id limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
