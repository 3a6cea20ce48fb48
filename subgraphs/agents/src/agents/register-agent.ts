import type { Database, TenantTransaction } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { configurationHash } from '../configuration/configuration-hash.ts'
import { executorOf } from '../configuration/executor-record.ts'
import { isStorable } from '../configuration/find-unsafe-values.ts'
import { readConfiguration } from '../configuration/read-configuration.ts'
import { AGENT_COLUMNS, type AgentRow } from './agent-row.ts'

const FILE_BYTES = 8 * 1024 * 1024

const input = z.object({
  // Its length is the document's affair, which says it as a problem of the document.
  document: z.string(),
  files: z
    .array(
      z.object({
        name: z
          .string()
          .min(1)
          .max(255)
          .refine((name) => isStorable(name) && name !== '__proto__', 'That cannot be a name.'),
        content: z
          .string()
          .refine((text) => Buffer.byteLength(text) <= FILE_BYTES, 'A file has at most 8 MiB.')
          .refine(isStorable, 'A file must be text, without the NUL character.'),
      }),
    )
    .max(20)
    .nullish(),
  teamId: z.string().nullish(),
})

/** What {@link registerAgent} takes: a document, YAML or JSON, with the files its settings name. */
export type RegisterAgentRequest = z.input<typeof input>

/**
 * Registers an agent by its name, or changes its configuration; a retired one takes work again. The same
 * configuration and files once more change nothing. INVALID_DOCUMENT lists every mistake of the document.
 */
export async function registerAgent(
  { database }: { database: Database },
  actor: Actor,
  request: RegisterAgentRequest,
): Promise<{ agent: AgentRow; changed: boolean }> {
  const { document, files, teamId } = parseInput(input, request)
  const configuration = readConfiguration(document)
  const executor = executorOf(configuration, files ?? [])
  const { files: contents, ...declared } = executor
  const shown = {
    ...configuration,
    executor: {
      ...declared,
      files: Object.entries(contents).map(([name, { size, sha256 }]) => ({ name, size, sha256 })),
    },
  }
  const { name, type, version } = configuration.metadata
  const values = [
    actor.organizationId,
    name,
    type,
    version,
    configuration.capabilities,
    JSON.stringify(executor),
    JSON.stringify(shown),
    configurationHash(shown),
    teamId ?? null,
  ]

  return database.inTenant(actor, async (tx) => {
    if (teamId != null) await requireTeam(tx, teamId)
    const [created] = await tx.sql<AgentRow>(
      `insert into agent (organization_id, name, type, version, capabilities, executor, configuration, configuration_hash, team_id)
       values ($1::uuid, $2, $3, $4, $5::text[], $6::jsonb, $7::jsonb, $8, $9::uuid)
       on conflict (organization_id, name) do nothing returning ${AGENT_COLUMNS}`,
      ...values,
    )
    // A changed row only: `where` is what makes registering again free of writes and events.
    const [changed] = created
      ? [created]
      : await tx.sql<AgentRow>(
          `update agent set type = $3, version = $4, capabilities = $5::text[], executor = $6::jsonb, configuration = $7::jsonb,
             configuration_hash = $8, team_id = coalesce($9::uuid, team_id), status = 'active', retired_at = null, updated_at = now()
           where organization_id = $1::uuid and name = $2
             and (configuration_hash <> $8 or status <> 'active' or team_id is distinct from coalesce($9::uuid, team_id))
           returning ${AGENT_COLUMNS}`,
          ...values,
        )
    if (changed) {
      const data = { agentId: changed.id, name, version }
      await tx.appendEvent({ type: 'agent.registered', subject: `agent/${changed.id}`, data })
      return { agent: changed, changed: true }
    }
    const [same] = await tx.sql<AgentRow>(
      `select ${AGENT_COLUMNS} from agent where organization_id = $1::uuid and name = $2`,
      actor.organizationId,
      name,
    )
    return { agent: same ?? fail('INTERNAL'), changed: false }
  })
}

async function requireTeam(tx: TenantTransaction, id: string): Promise<void> {
  const team = isId(id) ? await tx.db.team.findFirst({ where: { id }, select: { id: true } }) : null
  if (!team) fail('NOT_FOUND', { path: 'input.teamId' })
}
