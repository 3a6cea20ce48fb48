import { openData } from '@tutti/prisma'
import { createKms, kmsSettings, runSubgraph } from '@tutti/runtime'
import { agents } from './index.ts'

runSubgraph(agents, async ({ env, lifecycle, log }) => {
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, secret: env.TUTTI_SECRET }))
  return { services: { ...data, log, kms: createKms(kmsSettings(env)) }, checks: { database: data.ping } }
})
