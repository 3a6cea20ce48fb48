/** An article as stored. */
export interface ArticleRow {
  id: string
  externalId: string
  title: string
  body: string
  language: string
  tags: string[]
  createdAt: Date
  updatedAt: Date
}

/** The columns of {@link ArticleRow}. */
export const ARTICLE_COLUMNS = `id, external_id as "externalId", title, body, language, tags,
  created_at as "createdAt", updated_at as "updatedAt"`
