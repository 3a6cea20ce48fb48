import { defineSubgraph } from '@tutti/runtime'
import { articleResolvers } from './articles/articles.resolvers.ts'
import type { Context, Services } from './context.ts'

/** What people and agents can look up. */
export const knowledge = defineSubgraph<Services, Context>({
  name: 'knowledge',
  directory: import.meta.dirname,
  resolvers: articleResolvers,
  context: (services, actor) => ({ ...services, actor }),
})
