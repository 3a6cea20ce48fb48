import { openData } from '@tutti/prisma'
import { runSubgraph } from '@tutti/runtime'
import { knowledge } from './index.ts'

runSubgraph(knowledge, async ({ env, lifecycle, log }) => {
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, secret: env.TUTTI_SECRET }))
  return { services: { ...data, log }, checks: { database: data.ping } }
})
