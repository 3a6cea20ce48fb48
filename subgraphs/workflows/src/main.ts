import { openData, roleUrl } from '@tutti/prisma'
import { createLanes, kmsSettings, runSubgraph } from '@tutti/runtime'
import { TASK_LANE } from '@tutti/schema'
import { internalCalls, workflows } from './index.ts'

runSubgraph(workflows, async ({ env, lifecycle, log }) => {
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, ...kmsSettings(env) }))
  const postgresUrl = roleUrl(env.DATABASE_URL, 'queue', env.TUTTI_SECRET)
  const lanes = lifecycle.own(await createLanes({ redisUrl: env.REDIS_URL, postgresUrl }, log))
  const services = { ...data, log, secret: env.TUTTI_SECRET, wake: () => lanes.nudge(TASK_LANE) }
  return { services, checks: { database: data.ping }, internal: internalCalls(services) }
})
