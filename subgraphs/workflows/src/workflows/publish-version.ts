import type { TenantTransaction } from '@tutti/prisma'
import { actorRecord } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type { Services } from '../context.ts'
import type { WorkflowDefinition } from '../definitions/index.ts'
import { limitMemoryOf } from '../limits/limit-memory.ts'
import { applyDefinitionLimits } from '../limits/limits-of-definition.ts'

/** The workflow and the version of it that new runs take now. */
export interface PublishedVersion {
  id: string
  version: number
  /** False when new runs took it already. */
  changed: boolean
}

/**
 * Makes a version the one that new runs take, also an older one; runs under way stay on theirs. NOT_FOUND when there
 * is no such workflow or version.
 */
export async function publishVersion(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  { workflowId, version }: { workflowId: string; version: number },
): Promise<PublishedVersion> {
  if (!isId(workflowId)) fail('NOT_FOUND', { path: 'input.workflowId' })
  const published = await database.inTenant(actor, async (tx) => {
    const [workflow] = await tx.sql<{ id: string; name: string; published: number | null }>(
      `select id, name, published_version as published from workflow
       where organization_id = $1::uuid and id = $2::uuid for no key update`,
      actor.organizationId,
      workflowId,
    )
    if (!workflow) return fail('NOT_FOUND', { path: 'input.workflowId' })
    const known = await tx.db.workflowVersion.count({
      where: { workflowId, version, AND: { version: { gt: 0 } } },
    })
    if (known === 0)
      fail('NOT_FOUND', { path: 'input.version', message: 'The workflow has no such version.' })
    return { id: workflow.id, version, changed: await publishWithin(tx, workflow, version) }
  })
  limitMemoryOf(database).forget()
  return published
}

/** Publishes within the caller's transaction, which has locked the workflow. False when nothing changes. */
export async function publishWithin(
  tx: TenantTransaction,
  workflow: { id: string; name: string; published: number | null },
  version: number,
): Promise<boolean> {
  if (workflow.published === version) return false
  const { organizationId } = tx.actor
  const published = await tx.db.workflowVersion.findFirst({
    where: { workflowId: workflow.id, version },
    select: { definition: true },
  })
  // Its own JSON, written by apply.
  await applyDefinitionLimits(
    tx,
    workflow,
    (published?.definition ?? {}) as Pick<WorkflowDefinition, 'concurrency'>,
  )
  await tx.db.workflow.update({
    where: { organizationId_id: { organizationId, id: workflow.id } },
    data: { publishedVersion: version, updatedAt: new Date() },
  })
  await tx.db.workflowVersion.updateMany({
    where: { workflowId: workflow.id, version },
    data: { publishedAt: new Date(), publishedBy: actorRecord(tx.actor) },
  })
  await tx.appendEvent({
    type: 'workflow.published',
    subject: `workflow/${workflow.id}`,
    data: { workflowId: workflow.id, name: workflow.name, version, previous: workflow.published },
  })
  return true
}
