import { cursorOf, type EventRecord } from '@tutti/schema'
import type { Context } from '../../context.ts'

/** Something that happened to a deployment; itself and its agent are read when they are asked for. */
export interface DeploymentEventRow {
  cursor: string
  type: string
  time: Date
  deploymentId: string
  agentId: string
  agentName: string
  /** The stage it was about, and how far that was with it; null of the whole deployment. */
  stage: string | null
  stageStatus: string | null
  error: { stage: string; code: string; message: string } | null
}

const TYPES = [
  'deployment.started',
  'deployment.progressed',
  'deployment.completed',
  'deployment.failed',
] as const
type DeploymentEvent = EventRecord<(typeof TYPES)[number]>

/** What happens to the caller's deployments, or to one of them, after the cursor and then live. CURSOR_INVALID. */
export async function* deploymentEvents(
  { tail, actor, signal }: Context,
  { after, deploymentId }: { after?: string | null; deploymentId?: string | null },
): AsyncGenerator<{ deploymentEvents: DeploymentEventRow }> {
  const events = tail.subscribe(
    { organizationId: actor.organizationId, types: TYPES },
    { after: after ?? null, ...(signal ? { signal } : {}) },
  )
  for await (const event of events) {
    // The tail keeps only the types asked for, which its type cannot say.
    const { seq, type, time, data } = event as DeploymentEvent
    if (deploymentId != null && data.deploymentId !== deploymentId) continue
    yield {
      deploymentEvents: {
        cursor: cursorOf(seq),
        type,
        time,
        deploymentId: data.deploymentId,
        agentId: data.agentId,
        agentName: data.name,
        stage: 'stage' in data ? data.stage : null,
        stageStatus: 'status' in data ? data.status : 'error' in data ? 'failed' : null,
        error: 'error' in data ? { ...data.error, stage: data.stage } : null,
      },
    }
  }
}
