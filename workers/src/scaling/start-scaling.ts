import { setTimeout as wait } from 'node:timers/promises'
import { scaleByLoad } from '@tutti/agents/domain'
import pg from 'pg'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 5_000

type Services = Pick<WorkerServices, 'database' | 'log'>

/**
 * Scales the agents of every tenant by their load, every five seconds, here while no other process does: an advisory lock
 * on a connection of its own says who. When the connection breaks somebody else goes on, or we again.
 */
export function startScaling(
  services: Services,
  { lookMs = LOOK_MS }: { lookMs?: number } = {},
): AsyncDisposable {
  const failure = 'agents could not be scaled by their load; tried again'
  return lookOften(services, { everyMs: lookMs, failure }, (signal) => standBy(services, lookMs, signal))
}

async function standBy(services: Services, lookMs: number, signal: AbortSignal): Promise<void> {
  const client = new pg.Client(services.database.pool('worker').options)
  const lost = new AbortController()
  const onLost = (): void => lost.abort()
  client.on('error', onLost)
  client.on('end', onLost)
  const ended = AbortSignal.any([signal, lost.signal])
  let isMine = false
  try {
    await client.connect()
    while (!ended.aborted) {
      isMine ||= await takeTurn(client)
      if (isMine) await look(services)
      await wait(lookMs, undefined, { signal: ended }).catch(() => undefined)
    }
  } finally {
    // The lock goes with the connection.
    await client.end().catch(() => undefined)
  }
}

async function takeTurn(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(
    `select pg_try_advisory_lock(hashtextextended('agents.scaling', 7)) as mine`,
  )
  return rows[0]?.mine ?? false
}

async function look({ database, log }: Services): Promise<void> {
  try {
    const { errors } = await scaleByLoad({ database })
    for (const error of errors) log.warn({ err: error }, 'an agent could not be scaled by its load')
  } catch (error) {
    log.warn({ err: error }, 'the load of agents could not be looked at')
  }
}
