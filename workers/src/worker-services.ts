import type { Data } from '@tutti/prisma'
import type { Kms, Log } from '@tutti/runtime'
import { type Actor, scopesOf, systemActor } from '@tutti/schema'
import type { ClaimedTask } from '@tutti/workflows/domain'
import type { ResponseCache } from './models/response-cache.ts'

/** Where providers' servers are, with what version, and the keys for them. */
export interface ModelEnvironment {
  OPENAI_BASE_URL?: string | undefined
  OPENAI_API_KEY?: string | undefined
  ANTHROPIC_BASE_URL?: string | undefined
  ANTHROPIC_API_KEY?: string | undefined
  GOOGLE_BASE_URL?: string | undefined
  GOOGLE_API_KEY?: string | undefined
}

/** What executors and consumers work with. */
export interface WorkerServices extends Pick<Data, 'database' | 'tail'> {
  log: Log
  /** Where trained models outlive the process; none: memory only. */
  cacheDirectory?: string
  /** The servers of language models that the environment names. */
  models: ModelEnvironment
  /** Answers of models that may be given again; none: every question is put to a model. */
  responses?: ResponseCache
  /** Whether HTTP agents may be called on this machine's own addresses and without TLS. */
  allowLocalAgents: boolean
  /** What opens the tenants' credentials. */
  kms: Kms
  /** From which the secret of each HTTP agent's signature is derived. */
  secret: string
}

/** The agent that does a task, as the one who acts: in its own organization, with an agent's rights. */
export function agentActor(task: ClaimedTask): Actor {
  const { organizationId, agentId, agentName } = task
  return {
    organizationId,
    id: agentId === null ? 'agent' : `agent:${agentId}`,
    kind: 'agent',
    name: agentName ?? 'agent',
    roles: ['agent'],
    scopes: scopesOf(['agent']),
    ...(agentId === null ? {} : { agentId }),
  }
}

/** The platform acting for the task's organization. */
export const workerActor = (organizationId: string): Actor => systemActor(organizationId, 'worker')
