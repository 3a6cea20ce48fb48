import { type CacheReach, configurationHash, type Model, nearest } from '@tutti/agents/domain'
import type { ModelReply, ModelRequest } from '../builtins/model/index.ts'
import type { ModelServer } from '../credentials/model-server-of.ts'
import type { TaskCall } from '../executors/executor.ts'
import { isSensitive } from './is-sensitive.ts'

/** Under which key an answer would be kept, and how far. */
export interface CacheEntry {
  key: string
  modelId: string
  reach: CacheReach
  /** Whether an answer that is there may be given; a new one is kept all the same. */
  mayAnswer: boolean
}

/**
 * SHA-256 of a request to a model, as canonical JSON: the order of keys and what only says how the answer is delivered do not
 * matter, everything else does. Organization, server and model are in it.
 */
export function requestKey(
  organizationId: string,
  model: string,
  { protocol, baseURL }: Pick<ModelServer, 'protocol' | 'baseURL'>,
  { instructions, data, schema, maxOutputTokens, temperature }: ModelRequest,
): string {
  const request = { instructions, data, schema, maxOutputTokens, temperature }
  // As it is sent: what JSON leaves out makes no difference.
  const sent: unknown = JSON.parse(JSON.stringify(request))
  return configurationHash({ organizationId, model, protocol, baseURL, sent })
}

/**
 * The entry of a request, by what the organization, the agent, the step and the data allow. Only what would be answered the
 * same again has one: no randomness, no tools. Somebody who tries again wants another answer.
 */
export function cacheEntryOf(
  { task, agent }: Pick<TaskCall, 'task' | 'agent'>,
  { name, model }: { name: string; model: Model | null },
  server: ModelServer,
  request: ModelRequest,
  ofOrganization: CacheReach,
): CacheEntry {
  const modelId = model?.id ?? name
  const isRepeatable = (request.temperature ?? 0) === 0 && !request.tools?.length && !request.rounds?.length
  const allowed = nearest(
    ofOrganization,
    agent.models?.cache ?? 'database',
    agent.models?.cache_steps?.[task.nodeId] ?? 'database',
    request.cache ?? 'database',
    isRepeatable ? 'database' : 'off',
  )
  // Looking costs; where nothing is persisted anyway, it need not.
  const isKeptInMemory = allowed === 'off' || allowed === 'memory'
  const reach = isKeptInMemory || !isSensitive(JSON.stringify(request.data)) ? allowed : 'memory'
  return {
    key: reach === 'off' ? '' : requestKey(task.organizationId, modelId, server, request),
    modelId,
    reach,
    mayAnswer: task.attempt === 1 && task.generation === 0,
  }
}

/** How far an answer may be kept: not at all when it is cut short, asks for tools or holds a secret of the attempt. */
export function reachOf(
  { reach }: CacheEntry,
  { text, isWhole, calls }: ModelReply,
  cut: (text: string) => string,
): CacheReach {
  if (reach === 'off' || !isWhole || calls.length > 0 || cut(text) !== text) return 'off'
  return reach !== 'memory' && isSensitive(text) ? 'memory' : reach
}
