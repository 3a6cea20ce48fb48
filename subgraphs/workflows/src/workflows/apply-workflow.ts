import { createHash } from 'node:crypto'
import type { TenantTransaction } from '@tutti/prisma'
import { type Actor, fail } from '@tutti/schema'
import type { Services } from '../context.ts'
import { readDefinition } from '../definitions/index.ts'
import { limitMemoryOf } from '../limits/limit-memory.ts'
import { engineDefaultsOf } from '../settings/engine-defaults.ts'
import { publishWithin } from './publish-version.ts'

export interface AppliedWorkflow {
  id: string
  version: number
  /** False when the latest version says exactly this already. */
  changed: boolean
}

/**
 * Applies a document as the workflow's next version and publishes it, unless it is to stay a draft. A document that the
 * latest version says already makes no new one. INVALID_DOCUMENT lists every mistake with line and column; agents,
 * capabilities and workflows that the organization does not have are among them.
 */
export async function applyWorkflow(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  document: string,
  { publish = true }: { publish?: boolean } = {},
): Promise<AppliedWorkflow> {
  const [agents, workflows, { attemptTimeoutMs }] = await Promise.all([
    database.readTenant<{ name: string; capabilities: string[] }>(
      actor,
      'select name, capabilities from agent where organization_id = $1 and retired_at is null',
      [actor.organizationId],
    ),
    database.readTenant<{ name: string }>(actor, 'select name from workflow where organization_id = $1', [
      actor.organizationId,
    ]),
    database.transact(actor, (client) => engineDefaultsOf(database).of(client, actor.organizationId)),
  ])
  const read = readDefinition(document, {
    knownAgents: agents.map((agent) => agent.name),
    knownCapabilities: agents.flatMap((agent) => agent.capabilities),
    knownWorkflows: workflows.map((workflow) => workflow.name),
    ...(attemptTimeoutMs === null ? {} : { attemptTimeoutMs }),
  })
  if (!read.ok) {
    const problems = read.problems.map(({ line, column, hint, ...problem }) => ({
      ...problem,
      ...(line == null ? {} : { line }),
      ...(column == null ? {} : { column }),
      ...(hint == null ? {} : { hint }),
    }))
    return fail('INVALID_DOCUMENT', { path: 'input.document', problems })
  }
  const { definition } = read
  if (!isStorable(document, definition)) {
    const message = 'The text holds a NUL character or half of a surrogate pair, which cannot be stored.'
    return fail('INVALID_DOCUMENT', {
      path: 'input.document',
      problems: [{ code: 'syntax', message, path: '', hint: 'Leave it out.' }],
    })
  }
  const sourceHash = createHash('sha256').update(document).digest('hex')

  const applied = await database.inTenant(actor, async (tx) => {
    const { organizationId } = actor
    // The name is locked, so that two appliers do not draw the same version.
    await tx.sql(
      'select pg_advisory_xact_lock(hashtextextended($1, 0))::text',
      `${organizationId}/${definition.name}`,
    )
    const existing = await lockWorkflow(tx, definition.name)
    if (existing?.latestHash === sourceHash) {
      if (publish) await publishWithin(tx, existing, existing.latest)
      return { id: existing.id, version: existing.latest, changed: false }
    }
    const version = (existing?.latest ?? 0) + 1
    const trigger = definition.trigger ?? null
    const { id, name } = existing
      ? await tx.db.workflow.update({
          where: { organizationId_id: { organizationId, id: existing.id } },
          data: { latestVersion: version, trigger, updatedAt: new Date() },
        })
      : await tx.db.workflow.create({
          data: { organizationId, name: definition.name, latestVersion: version, trigger },
        })
    await tx.db.workflowVersion.create({
      data: {
        organizationId,
        workflowId: id,
        version,
        source: document,
        sourceHash,
        definition: JSON.parse(JSON.stringify(definition)),
      },
    })
    const data = { workflowId: id, name, version }
    await tx.appendEvent({ type: 'workflow.applied', subject: `workflow/${id}`, data })
    if (publish) await publishWithin(tx, { id, name, published: existing?.published ?? null }, version)
    return { id, version, changed: true }
  })
  limitMemoryOf(database).forget()
  return applied
}

interface LockedWorkflow {
  id: string
  name: string
  published: number | null
  latest: number
  latestHash: string
}

async function lockWorkflow(tx: TenantTransaction, name: string): Promise<LockedWorkflow | undefined> {
  const [row] = await tx.sql<LockedWorkflow>(
    `select w.id, w.name, w.published_version as published, v.version as latest, v.source_hash as "latestHash"
     from workflow w join workflow_version v
       on v.organization_id = w.organization_id and v.workflow_id = w.id and v.version = w.latest_version
     where w.organization_id = $1::uuid and w.name = $2 for no key update of w`,
    tx.actor.organizationId,
    name,
  )
  return row
}

/** Half a pair comes out of JSON as its escape; an escaped backslash before it is a backslash of the text. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/

/** Whether PostgreSQL can keep the text and what was read from it, where YAML's escapes have become characters. */
const isStorable = (document: string, definition: unknown): boolean =>
  !document.includes('\0') && document.isWellFormed() && !UNSTORABLE.test(JSON.stringify(definition))
