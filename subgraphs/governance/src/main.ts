import { openData } from '@tutti/prisma'
import { runSubgraph } from '@tutti/runtime'
import { governance, internalCalls } from './index.ts'

runSubgraph(governance, async ({ env, lifecycle, log }) => {
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, secret: env.TUTTI_SECRET }))
  return { services: { ...data, log }, checks: { database: data.ping }, internal: internalCalls(data) }
})
