import { openData } from '@tutti/prisma'
import { createKms, kmsSettings, runSubgraph } from '@tutti/runtime'
import { agents, connectorCallSchema, receiveConnectorCall } from './index.ts'

runSubgraph(agents, async ({ env, lifecycle, log }) => {
  const data = lifecycle.own(await openData({ url: env.DATABASE_URL, ...kmsSettings(env) }))
  const services = { ...data, log, kms: createKms(kmsSettings(env)), secret: env.TUTTI_SECRET }
  return {
    services,
    checks: { database: data.ping },
    internal: {
      '/internal/connector': (body) => receiveConnectorCall(services, connectorCallSchema.parse(body)),
    },
  }
})
