export type { ArticleRow } from './articles/article-row.ts'
export { publishArticles, type PublishArticlesRequest } from './articles/publish-articles.ts'
export { type ArticleHit, searchArticles, type SearchArticlesRequest } from './search/search-articles.ts'
