import type { DeploymentWorker } from '@tutti/agents/domain'
import { fail } from '@tutti/schema'
import { request } from 'undici'
import type { Egress } from '../executors/open-egress.ts'
import { refuseAddress } from '../executors/refuse-address.ts'

const PROBE_MS = 10_000

/**
 * Asks an agent that is to be deployed whether it is there. One with a URL is there when its address answers a GET with
 * anything below 500: it need not know the method. Others are there by being configured. UNAVAILABLE with the reason.
 */
export async function probeAgent(
  { allowLocal, dispatcher }: Egress,
  { executor }: Parameters<DeploymentWorker['probe']>[0],
): Promise<Record<string, unknown>> {
  const { type, url } = executor
  if (url === undefined) return { probe: 'none', executor: type }
  const refusal = refuseAddress(url, allowLocal)
  if (refusal) fail('UNAVAILABLE', { message: refusal })
  const answer = await request(url, {
    method: 'GET',
    dispatcher,
    signal: AbortSignal.timeout(PROBE_MS),
  }).catch((error: unknown) =>
    fail('UNAVAILABLE', {
      message: `The agent could not be reached: ${error instanceof Error ? error.message : 'no connection'}.`,
    }),
  )
  answer.body.destroy()
  const { statusCode: status } = answer
  if (status >= 500) fail('UNAVAILABLE', { message: `The agent answered with status ${status}.` })
  return { probe: 'http', executor: type, status }
}
