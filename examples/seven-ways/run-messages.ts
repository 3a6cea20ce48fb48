import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

import type { CustomerMessage } from '../input/read-messages.ts'
import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'

const START = `mutation StartRuns($input: StartRunsInput!) {
  startRuns(input: $input) { runs { run { id } } }
}`
const RUN = `query Run($id: ID!) {
  run(id: $id) {
    id status state costUsd createdAt endedAt error { code message }
    approvals { id status arguments }
    tasks { stepPath error { code message } }
  }
}`

const ENDED = ['COMPLETED', 'FAILED', 'CANCELLED']
const ASKED_EVERY_MS = 100

/** A run as it ended, or as it was when patience did. */
export interface RunSeen {
  id: string
  status: string
  state: { judgement?: unknown; label?: unknown; queue?: unknown }
  costUsd: number
  createdAt: string
  endedAt: string | null
  error: { code: string; message: string } | null
  approvals: { id: string; status: string; arguments: unknown }[]
  tasks: { stepPath: string; error: { code: string; message: string } | null }[]
}

/**
 * Starts a run for each message and follows them to their end, or for `patienceMs`. Each time a run waits for a person,
 * `onAsked` is told, once an approval.
 */
export async function runMessages(
  door: Door,
  workflowId: string,
  messages: readonly CustomerMessage[],
  {
    patienceMs,
    onAsked,
  }: { patienceMs: number; onAsked(approval: RunSeen['approvals'][number]): Promise<void> },
): Promise<RunSeen[]> {
  const session = randomUUID()
  const { startRuns } = await ask<{ startRuns: { runs: { run: { id: string } }[] } }>(door, START, {
    input: {
      runs: messages.map(({ id, text }) => ({
        workflowId,
        input: { message: text },
        idempotencyKey: `seven-ways/${session}/${id}`,
      })),
    },
  })
  const until = performance.now() + patienceMs
  const asked = new Set<string>()
  const follow = async (id: string): Promise<RunSeen> => {
    for (;;) {
      const { run } = await ask<{ run: RunSeen }>(door, RUN, { id })
      if (ENDED.includes(run.status) || performance.now() > until) return run
      for (const approval of run.approvals) {
        if (approval.status !== 'PENDING' || asked.has(approval.id)) continue
        asked.add(approval.id)
        await onAsked(approval)
      }
      await pause(ASKED_EVERY_MS)
    }
  }
  return Promise.all(startRuns.runs.map(({ run }) => follow(run.id)))
}
