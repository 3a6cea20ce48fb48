import { setTimeout as pause } from 'node:timers/promises'

import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import type { ScheduledBrief } from './start-by-schedule.ts'

const RUN = `query Post($id: ID!) {
  run(id: $id) { id status state error { code message } approvals { id status } }
}`

const ASKED_EVERY_MS = 250
const PATIENCE_MS = 60_000

/** What became of a brief. */
export interface PostOutcome {
  name: string
  runId: string
  /** `open`: it was still under way after a minute. */
  ending: 'scheduled' | 'with a person' | 'rejected' | 'failed' | 'open'
  topic: string
  text: string
  quality: number | undefined
  brand: number | undefined
  /** When it goes out, or why it failed. */
  detail: string
  next: string | undefined
  /** What a person has to decide. */
  approvalId: string | undefined
}

interface Run {
  id: string
  status: string
  state: unknown
  error: { code: string; message: string } | null
  approvals: { id: string; status: string }[]
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null ? new Map(Object.entries(inner)).get(name) : undefined,
    value,
  )
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

const pending = ({ approvals }: Run): string | undefined =>
  approvals.find(({ status }) => status === 'PENDING')?.id

/** A run waits before its question is asked: somebody is there to answer only then. */
const isUnderWay = (run: Run): boolean =>
  run.status === 'RUNNING' ||
  run.status === 'QUEUED' ||
  (run.status === 'WAITING' && pending(run) === undefined)

async function settled(door: Door, id: string): Promise<Run> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const { run } = await ask<{ run: Run }>(door, RUN, { id })
    if (!isUnderWay(run) || performance.now() > until) return run
    await pause(ASKED_EVERY_MS)
  }
}

/** What a run that has settled says of its brief. */
function outcomeOf({ brief, runId, next }: ScheduledBrief, run: Run): PostOutcome {
  const publishAt = text(at(run.state, 'scheduled_post', 'publish_at'))
  return {
    name: brief.name,
    runId,
    ending: endingOf(run, publishAt),
    topic: text(at(run.state, 'generated_content', 'topic')),
    text: text(at(run.state, 'generated_content', 'text')),
    quality: number(at(run.state, 'review', 'quality_score')),
    brand: number(at(run.state, 'review', 'brand_alignment')),
    detail: run.error ? `${run.error.code}: ${run.error.message}` : publishAt,
    next,
    approvalId: pending(run),
  }
}

function endingOf({ status }: Run, publishAt: string): PostOutcome['ending'] {
  if (status === 'WAITING') return 'with a person'
  if (status === 'COMPLETED') return publishAt ? 'scheduled' : 'rejected'
  return status === 'RUNNING' || status === 'QUEUED' ? 'open' : 'failed'
}

/** What became of each brief, as soon as nothing more happens by itself. */
export async function collectPosts(door: Door, scheduled: readonly ScheduledBrief[]): Promise<PostOutcome[]> {
  return Promise.all(scheduled.map(async (each) => outcomeOf(each, await settled(door, each.runId))))
}
