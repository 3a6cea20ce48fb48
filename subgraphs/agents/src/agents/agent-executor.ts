import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import {
  readReliability,
  type Reliability,
  RELIABILITY_OF_AGENT,
} from '../reliability/reliability-settings.ts'
import { cacheLevel } from '../configuration/configuration-schema.ts'
import { type AgentGoverns, agentGoverns } from '../configuration/governs.ts'
import { type ExecutorRecord, executorRecord } from '../configuration/executor-record.ts'

/** What a worker needs to let an agent do a task. */
export interface AgentExecutor {
  id: string
  name: string
  type: string
  status: string
  /** Where it belongs; null: in no team. */
  teamId: string | null
  domainId: string | null
  /** The number of its version that serves. */
  version: number
  /** Changes whenever the executor, its files or anything else of the configuration does. */
  configurationHash: string
  executor: ExecutorRecord
  /** Language models by the configuration; null when it names none. */
  models: ConfiguredModels | null
  /** What it does that not everybody may; null when its configuration says nothing of it. */
  governs: AgentGoverns | null
  /** Of its breaker, its checks, and what is done when it fails. */
  reliability: Reliability
}

type Row = Omit<AgentExecutor, 'executor' | 'governs' | 'reliability'> & {
  executor: unknown
  governs: unknown
  settings: unknown
}

const configuredModels = z.object({
  primary: z.string(),
  fallback: z.string().optional(),
  /** How far answers may be kept; as far as the organization says unless given. */
  cache: cacheLevel.optional(),
  /** The same for a step, by its name. */
  cache_steps: z.record(z.string(), cacheLevel).optional(),
})
type ConfiguredModels = z.output<typeof configuredModels>

/**
 * An agent with its executor, files included; for workers only. Give what an earlier call answered as `known`: while
 * the configuration is the same that very object's executor comes back and no file is read. NOT_FOUND when there is none.
 */
export async function agentExecutor(
  { database }: { database: Database },
  actor: Actor,
  agentId: string,
  known?: AgentExecutor,
): Promise<AgentExecutor> {
  if (!isId(agentId)) fail('NOT_FOUND', { path: 'agentId' })
  const [row] = await database.readTenant<Row>(
    actor,
    `select id, name, type, status, serving_version as version, configuration_hash as "configurationHash", configuration->'ai_models' as models, configuration->'governs' as governs,
       case when configuration_hash = $3 then null else executor end as executor, team_id as "teamId",
       (select t.domain_id from team t where t.organization_id = $1::uuid and t.id = agent.team_id) as "domainId",
       ${RELIABILITY_OF_AGENT} as settings
     from agent where organization_id = $1::uuid and id = $2::uuid`,
    [actor.organizationId, agentId, known?.id === agentId ? known.configurationHash : ''],
  )
  if (!row) fail('NOT_FOUND', { path: 'agentId' })
  const { settings, ...agent } = row
  const executor = row.executor === null && known ? known.executor : executorRecord.parse(row.executor)
  return {
    ...agent,
    executor,
    models: configuredModels.nullable().parse(row.models),
    governs: agentGoverns.parse(row.governs),
    reliability: readReliability(settings),
  }
}
