import { openData } from '@tutti/prisma'
import { runSubgraph } from '@tutti/runtime'
import { metrics } from './index.ts'

runSubgraph(metrics, async ({ env, lifecycle, log }) => {
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, secret: env.TUTTI_SECRET }))
  return { services: { ...data, log }, checks: { database: data.ping } }
})
