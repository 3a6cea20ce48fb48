import { setTimeout as pause } from 'node:timers/promises'

import { InputMistake } from '../input/input-mistake.ts'
import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import type { Brief } from './read-briefs.ts'

const TRIGGERS = `query Triggers($workflowId: ID!) {
  triggers(first: 100, workflowId: $workflowId) { nodes { id name } }
}`
const CREATE = `mutation CreateTrigger($input: CreateTriggerInput!) {
  createTrigger(input: $input) { trigger { id name } }
}`
const UPDATE = `mutation UpdateTrigger($input: UpdateTriggerInput!) {
  updateTrigger(input: $input) { trigger { id name nextFirings(first: 1) } }
}`
const FIRINGS = `query Firings($id: ID!) {
  trigger(id: $id) { firings(first: 100) { nodes { occurrence status run { id } error { code message } } } }
}`

const EACH_SECOND = '* * * * * *'
const ASKED_EVERY_MS = 250
const PATIENCE_MS = 30_000

interface Trigger {
  id: string
  name: string
}

interface Firing {
  occurrence: string
  status: string
  run: { id: string } | null
  error: { code: string; message: string } | null
}

/** A brief, the run that its schedule has started today, and when the next one comes. */
export interface ScheduledBrief {
  brief: Brief
  runId: string
  next: string | undefined
}

/**
 * Puts each brief on a schedule of the workflow: a trigger of its name. So that there is something to see, it fires each
 * second until today's run is there; then it gets its own times. Its idempotency key is the day, so that a day has one
 * run, whatever the schedule and however often this is called.
 */
export async function startBySchedule(
  door: Door,
  workflowId: string,
  briefs: readonly Brief[],
  { cron, timeZone }: { cron: string; timeZone: string },
): Promise<ScheduledBrief[]> {
  const { triggers } = await ask<{ triggers: { nodes: Trigger[] } }>(door, TRIGGERS, { workflowId })
  const scheduled: ScheduledBrief[] = []
  for (const brief of briefs) {
    const known = triggers.nodes.find(({ name }) => name === brief.name)
    const { id } = known
      ? await update(door, { id: known.id, cron: EACH_SECOND, input: brief.input })
      : await create(door, workflowId, brief)
    let next: string | undefined
    const runId = await firstRunOf(door, id, brief).finally(async () => {
      ;[next] = (await update(door, { id, cron, timeZone })).nextFirings
    })
    scheduled.push({ brief, runId, next })
  }
  return scheduled
}

async function create(door: Door, workflowId: string, { name, input }: Brief): Promise<Trigger> {
  const { createTrigger } = await ask<{ createTrigger: { trigger: Trigger } }>(door, CREATE, {
    input: {
      workflowId,
      name,
      kind: 'SCHEDULE',
      cron: EACH_SECOND,
      missed: 'SKIP',
      input,
      idempotencyKey: 'scheduledAt.substring(0, 10)',
    },
  })
  return createTrigger.trigger
}

async function update(door: Door, input: object): Promise<Trigger & { nextFirings: string[] }> {
  const { updateTrigger } = await ask<{ updateTrigger: { trigger: Trigger & { nextFirings: string[] } } }>(
    door,
    UPDATE,
    { input },
  )
  return updateTrigger.trigger
}

async function firstRunOf(door: Door, id: string, { name }: Brief): Promise<string> {
  const until = performance.now() + PATIENCE_MS
  while (performance.now() < until) {
    const { trigger } = await ask<{ trigger: { firings: { nodes: Firing[] } } }>(door, FIRINGS, { id })
    const today = `key:${new Date().toISOString().slice(0, 10)}`
    const firing = trigger.firings.nodes.find(({ occurrence }) => occurrence === today)
    if (firing?.run) return firing.run.id
    if (firing?.status === 'FAILED')
      throw new InputMistake(
        `The schedule of "${name}" started no run: ${firing.error?.code ?? ''} ${firing.error?.message ?? ''}`,
      )
    await pause(ASKED_EVERY_MS)
  }
  throw new InputMistake(`The schedule of "${name}" has not fired. Do workers run?`)
}
