import { setTimeout as pause } from 'node:timers/promises'
import type { Caller } from '../world/caller.ts'
import { isApproved, SIGNAL } from './shapes.ts'

const LOOK_MS = 300

interface PendingApprovals {
  approvals: { nodes: { id: string; run: { id: string } | null }[] }
}

const PENDING = '{ approvals(status: PENDING, first: 100) { nodes { id run { id } } } }'
const DECIDE = `mutation($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { id } } }`
const SEND = `mutation($input: SignalRunInput!) { signalRun(input: $input) { created } }`

/** Decides every approval that is asked for, as its run's id has it, until the signal aborts. */
export async function decideApprovals(approver: Caller, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // Whatever fails while the database is away is found pending at the next look.
    const found = await approver.query<PendingApprovals>(PENDING).catch(() => undefined)
    for (const { id, run } of found?.approvals.nodes ?? []) {
      if (!run) continue
      const decision = isApproved(run.id) ? 'APPROVE' : 'REJECT'
      await approver.send(DECIDE, { input: { id, decision } }).catch(() => undefined)
    }
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** Sends the signal that a run waits for, once, some time after its start: before it waits, or long after. */
export async function sendSignal(
  operator: Caller,
  { id, n }: { id: string; n: number },
  signal: AbortSignal,
): Promise<void> {
  await pause((n % 4) * 600, undefined, { signal }).catch(() => undefined)
  const input = { runId: id, name: SIGNAL, payload: { n }, idempotencyKey: `signal-${n}` }
  while (!signal.aborted) {
    const sent = await operator.send(SEND, { input }).catch(() => undefined)
    if (sent && !sent.body.errors) return
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
}
