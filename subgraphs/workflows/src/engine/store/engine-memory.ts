import type { Database } from '@tutti/prisma'
import { createDefinitionCache, type DefinitionCache } from './definition-cache.ts'
import { createEngineNames, type EngineNames } from './engine-names.ts'
import { createStrandReader, type StrandReader } from './hold-strands.ts'

/** What the engine remembers between statements. */
export interface EngineMemory {
  definitions: DefinitionCache
  names: EngineNames
  strands: StrandReader
}

const memories = new WeakMap<Database, EngineMemory>()

/** The one memory of a database in this process: starting, recording and resuming share it. */
export function engineMemoryOf(database: Database): EngineMemory {
  const known = memories.get(database)
  if (known) return known
  const memory = {
    definitions: createDefinitionCache(),
    names: createEngineNames(),
    strands: createStrandReader(),
  }
  memories.set(database, memory)
  return memory
}
