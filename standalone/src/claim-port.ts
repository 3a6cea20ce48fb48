import { setTimeout as sleep } from 'node:timers/promises'
import { isFree } from './free-port.ts'
import { StartError } from './start-error.ts'

/**
 * Looks whether the public port can be had, before anything is touched. `patience` ms are for the door of a Tutti that was
 * killed this moment and is just noticing. Throws PORT_TAKEN, or ENVIRONMENT_INVALID for a host that is not ours.
 */
export async function claimPort(port: number, host: string, patience = 2000): Promise<void> {
  const until = Date.now() + patience
  for (;;) {
    const free = await isFree(port, host).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      throw new StartError(
        'ENVIRONMENT_INVALID',
        `Nothing can listen on HOST=${host} PORT=${port}: ${reason}`,
      )
    })
    if (free) return
    if (Date.now() >= until)
      throw new StartError('PORT_TAKEN', `Port ${port} on ${host} is taken by another program.`)
    await sleep(100)
  }
}
