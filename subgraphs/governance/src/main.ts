import { openData } from '@tutti/prisma'
import { createKms, kmsSettings, runSubgraph } from '@tutti/runtime'
import { governance, internalCalls, loginCalls } from './index.ts'

runSubgraph(governance, async ({ env, lifecycle, log }) => {
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, ...kmsSettings(env) }))
  const services = { ...data, log, kms: createKms(kmsSettings(env)) }
  return {
    services,
    checks: { database: data.ping },
    internal: { ...internalCalls(services), ...loginCalls(services) },
  }
})
