import type { Database } from '@tutti/prisma'
import { createDefinitionCache, type DefinitionCache } from './definition-cache.ts'
import type { HeldStrand } from './held-strand.ts'
import { createEngineNames, type EngineNames } from './engine-names.ts'
import { createStrandReader, type StrandReader } from './hold-strands.ts'

/** A worker in this very process, which takes what was just started without a claim. */
export interface Taker {
  /** A claim for as many of `count` strands of a tenant as there is room for to spare; undefined when there is none. */
  reserve(organizationId: string, count: number): { claim: string; count: number } | undefined
  /** They are written under that claim, by a statement sent after `asked`, milliseconds of this process. */
  begin(held: readonly HeldStrand[], asked: number): void
}

/** What the engine remembers between statements. */
export interface EngineMemory {
  /** Set while a worker runs here. */
  taker: Taker | undefined
  definitions: DefinitionCache
  names: EngineNames
  strands: StrandReader
}

const memories = new WeakMap<Database, EngineMemory>()

/** The one memory of a database in this process: starting, recording and resuming share it. */
export function engineMemoryOf(database: Database): EngineMemory {
  const known = memories.get(database)
  if (known) return known
  const memory: EngineMemory = {
    taker: undefined,
    definitions: createDefinitionCache(),
    names: createEngineNames(),
    strands: createStrandReader(),
  }
  memories.set(database, memory)
  return memory
}
