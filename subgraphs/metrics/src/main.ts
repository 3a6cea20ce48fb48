import { openData } from '@tutti/prisma'
import { kmsSettings, runSubgraph } from '@tutti/runtime'
import { metrics } from './index.ts'

runSubgraph(metrics, async ({ env, lifecycle, log }) => {
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, ...kmsSettings(env) }))
  return { services: { ...data, log }, checks: { database: data.ping } }
})
