import { createHash } from 'node:crypto'
import { type Actor, fail } from '@tutti/schema'
import type { Services } from '../context.ts'
import { readDefinition } from '../definitions/index.ts'

export interface AppliedWorkflow {
  id: string
  version: number
  /** False when the latest version says exactly this already. */
  changed: boolean
}

/**
 * Applies a document as the workflow's next version. INVALID_DOCUMENT lists every mistake with line and column; agents
 * that the organization does not have are among them.
 */
export async function applyWorkflow(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  document: string,
): Promise<AppliedWorkflow> {
  const agents = await database.readTenant<{ name: string }>(
    actor,
    'select name from agent where organization_id = $1 and retired_at is null',
    [actor.organizationId],
  )
  const read = readDefinition(document, { knownAgents: agents.map((agent) => agent.name) })
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

  return database.inTenant(actor, async (tx) => {
    const { organizationId } = actor
    // The name is locked, so that two appliers do not draw the same version.
    await tx.sql(
      'select pg_advisory_xact_lock(hashtextextended($1, 0))::text',
      `${organizationId}/${definition.name}`,
    )
    const existing = await tx.db.workflow.findFirst({ where: { name: definition.name } })
    if (existing) {
      const latest = await tx.db.workflowVersion.findFirst({
        where: { workflowId: existing.id, version: existing.latestVersion },
        select: { sourceHash: true },
      })
      if (latest?.sourceHash === sourceHash)
        return { id: existing.id, version: existing.latestVersion, changed: false }
    }
    const version = (existing?.latestVersion ?? 0) + 1
    const trigger = definition.trigger ?? null
    const workflow = existing
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
        workflowId: workflow.id,
        version,
        source: document,
        sourceHash,
        definition: JSON.parse(JSON.stringify(definition)),
      },
    })
    const data = { workflowId: workflow.id, name: workflow.name, version }
    await tx.appendEvent({ type: 'workflow.applied', subject: `workflow/${workflow.id}`, data })
    return { id: workflow.id, version, changed: true }
  })
}

/** Half a pair comes out of JSON as its escape; an escaped backslash before it is a backslash of the text. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/

/** Whether PostgreSQL can keep the text and what was read from it, where YAML's escapes have become characters. */
const isStorable = (document: string, definition: unknown): boolean =>
  !document.includes('\0') && document.isWellFormed() && !UNSTORABLE.test(JSON.stringify(definition))
