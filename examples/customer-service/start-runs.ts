import { createHash } from 'node:crypto'

import type { CustomerMessage } from '../input/read-messages.ts'
import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import { inBatches } from '../platform/in-batches.ts'

const START = `mutation StartRuns($input: StartRunsInput!) {
  startRuns(input: $input) { runs { created run { id status } } }
}`

/** A run's state as the platform names it. */
export type RunStatus = 'RUNNING' | 'WAITING' | 'COMPLETED' | 'FAILED' | 'CANCELLED'

/** A message's run, and whether this call started it. */
export interface StartedRun {
  message: CustomerMessage
  runId: string
  status: RunStatus
  created: boolean
}

/** The same message gives the same key, so that a second call finds the first one's run. */
export function idempotencyKey({ id, text }: CustomerMessage): string {
  return `customer-service/${createHash('sha256')
    .update(JSON.stringify([id, text]))
    .digest('hex')}`
}

/** Starts a run for each message, in batches; calls back with each batch as soon as it stands. */
export async function startRuns(
  door: Door,
  workflowId: string,
  messages: readonly CustomerMessage[],
  onStarted: (runs: StartedRun[]) => void,
): Promise<void> {
  for (const batch of inBatches(messages, 200, (message) => message.text.length + 200)) {
    const input = {
      runs: batch.map((message) => ({
        workflowId,
        input: { customer_message: message.text },
        idempotencyKey: idempotencyKey(message),
      })),
    }
    const { startRuns: payload } = await ask<{
      startRuns: { runs: { created: boolean; run: { id: string; status: RunStatus } }[] }
    }>(door, START, { input })
    onStarted(
      batch.flatMap((message, index) => {
        const started = payload.runs[index]
        return started
          ? [{ message, runId: started.run.id, status: started.run.status, created: started.created }]
          : []
      }),
    )
  }
}
