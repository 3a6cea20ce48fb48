import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { searchArticles } from '../search/search-articles.ts'
import { listArticles } from './list-articles.ts'
import { loadArticles } from './load-articles.ts'
import { publishArticles } from './publish-articles.ts'

export const articleResolvers = {
  Query: {
    article: (_, { id }, context) => loaderOf(context, loadArticles).load(id),
    articles: (_, page, context) => listArticles(context, page),
    searchArticles: (_, request, context) => searchArticles(context, context.actor, request),
  },
  Mutation: {
    publishArticles: (_, { input }, context) => publishArticles(context, context.actor, input),
  },
  Article: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadArticles).load(id),
  },
} satisfies Resolvers
