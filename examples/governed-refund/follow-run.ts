import { setTimeout as pause } from 'node:timers/promises'

import { InputMistake } from '../input/input-mistake.ts'
import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'

const RUN = `query Run($id: ID!) {
  run(id: $id) {
    id status createdAt endedAt state error { code message }
    tasks { id stepPath status endedAt error { code message } }
    approvals {
      id status digest arguments reason createdAt stage usedAt
      stages { needed roles groups people }
      decisions { decision stage decidedBy { id name } onBehalfOf { name } comment decidedAt }
    }
    escalations { id level status openedAt resolvedAt }
  }
}`

const LOOK_MS = 100
const PATIENCE_MS = 120_000

/** A run as it stands. */
export interface RefundRun {
  id: string
  status: string
  createdAt: string
  endedAt: string | null
  state: { proposal?: { sum?: number }; payment?: { paid?: number; receipt?: string } | null }
  error: { code: string; message: string } | null
  tasks: {
    id: string
    stepPath: string
    status: string
    endedAt: string | null
    error: { code: string; message: string } | null
  }[]
  approvals: {
    id: string
    status: string
    digest: string
    arguments: { sum?: number }
    reason: string
    createdAt: string
    stage: number
    usedAt: string | null
    stages: { needed: number; roles: string[]; groups: string[]; people: string[] }[]
    decisions: {
      decision: string
      stage: number
      decidedBy: { id: string; name: string }
      onBehalfOf: { name: string } | null
      comment: string | null
      decidedAt: string
    }[]
  }[]
  escalations: { id: string; level: string; status: string; openedAt: string; resolvedAt: string | null }[]
}

/** Reads it. */
export async function readRun(door: Door, id: string): Promise<RefundRun> {
  return (await ask<{ run: RefundRun }>(door, RUN, { id })).run
}

/** Looks at a run until there is what is wanted of it; throws after two minutes, and when it has ended without. */
export async function waitFor<Wanted>(
  door: Door,
  id: string,
  what: string,
  find: (run: RefundRun) => Wanted | undefined,
): Promise<Wanted> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const run = await readRun(door, id)
    const found = find(run)
    if (found !== undefined) return found
    if (run.endedAt !== null) throw new InputMistake(describeEnd(run, what))
    if (performance.now() > until) throw new Error(`Run ${id} is ${run.status}: there is no ${what} yet.`)
    await pause(LOOK_MS)
  }
}

function describeEnd({ id, status, error, tasks }: RefundRun, what: string): string {
  const failure = tasks.find((task) => task.error)?.error ?? error
  const hint =
    failure?.code === 'AGENT_ADDRESS_REFUSED'
      ? '\nThe agent listens on this machine: start the platform with TUTTI_ALLOW_LOCAL_AGENTS=true npm start.'
      : ''
  return `Run ${id} has ended (${status}) and there is no ${what}: ${failure?.code}: ${failure?.message}${hint}`
}

/** The question that a run waits with. */
export const questionOf = (door: Door, id: string): Promise<RefundRun['approvals'][number]> =>
  waitFor(door, id, 'question', ({ approvals }) => approvals.find(({ status }) => status === 'PENDING'))

/** The run at its end, however it ended. */
export const endOf = (door: Door, id: string): Promise<RefundRun> =>
  waitFor(door, id, 'end', (run) => (run.endedAt === null ? undefined : run))
