import type { Database } from '@tutti/prisma'
import { type AgentIds, createAgentIds } from './agent-ids.ts'
import { createDefinitionCache, type DefinitionCache } from './definition-cache.ts'

/** What the engine remembers between statements. */
export interface EngineMemory {
  definitions: DefinitionCache
  agents: AgentIds
}

const memories = new WeakMap<Database, EngineMemory>()

/** The one memory of a database in this process: starting, recording and resuming share it. */
export function engineMemoryOf(database: Database): EngineMemory {
  const known = memories.get(database)
  if (known) return known
  const memory = { definitions: createDefinitionCache(), agents: createAgentIds() }
  memories.set(database, memory)
  return memory
}
