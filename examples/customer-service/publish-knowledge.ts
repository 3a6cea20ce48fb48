import type { Article } from '../input/read-knowledge.ts'
import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import { inBatches } from '../platform/in-batches.ts'

const PUBLISH = `mutation PublishArticles($input: PublishArticlesInput!) {
  publishArticles(input: $input) { changed }
}`

/** Publishes articles, those with a known id in place of the old ones; returns how many were new or changed. */
export async function publishKnowledge(door: Door, articles: readonly Article[]): Promise<number> {
  let changed = 0
  for (const batch of inBatches(articles, 100, (article) => article.body.length)) {
    const input = {
      articles: batch.map(({ intents, tags, ...article }) => ({
        ...article,
        // The retriever prefers articles that bear the classified intent as a tag.
        tags: [...new Set([...intents, ...tags])],
      })),
    }
    changed += (await ask<{ publishArticles: { changed: number } }>(door, PUBLISH, { input })).publishArticles
      .changed
  }
  return changed
}
