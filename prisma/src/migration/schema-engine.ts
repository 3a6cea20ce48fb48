import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils'
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg'

type SchemaEngine = Awaited<ReturnType<typeof engineModule.SchemaEngine.new>>

let loaded: Promise<void> | undefined

async function loadWasm(): Promise<void> {
  const file = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const bytes = await readFile(file.replace(/\.js$/, '.wasm'))
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': { ...engineModule } })
  engineModule.__wbg_set_wasm(instance.exports)
  const start = instance.exports['__wbindgen_start']
  if (typeof start === 'function') start()
}

/** Prisma's adapter splits scripts at every semicolon, also within function bodies; PostgreSQL need not. */
class WholeScriptAdapter extends PrismaPg {
  readonly connections: { dispose(): Promise<void> }[] = []

  override async connect() {
    const adapter = await super.connect()
    adapter.executeScript = async (script) => {
      await adapter.underlyingDriver().query(script)
    }
    readInternalCharacters(adapter)
    this.connections.push(adapter)
    return adapter
  }
}

/** PostgreSQL's number of the type "char", one byte, of its catalog. */
const INTERNAL_CHARACTER = 18

/** Prisma's adapter does not know a type by which its own engine describes a database: it is read as text. */
function readInternalCharacters(adapter: Awaited<ReturnType<PrismaPg['connect']>>): void {
  const queryRaw = adapter.queryRaw.bind(adapter)
  adapter.queryRaw = async (query) => {
    if (!/\bpg_constraint\b/.test(query.sql)) return queryRaw(query)
    const { fields } = await adapter.underlyingDriver().query(query.sql, query.args)
    const isCharacter = fields.map(({ dataTypeID }) => dataTypeID === INTERNAL_CHARACTER)
    const columns = fields.map(({ name }, index) => (isCharacter[index] ? `"${name}"::text` : `"${name}"`))
    const sql = `select ${columns.join()} from (${query.sql.replace(/;\s*$/, '')}) as described`
    const result = await queryRaw({ ...query, sql })
    const types = result.columnTypes.map((type, index) =>
      isCharacter[index] ? ColumnTypeEnum.Character : type,
    )
    return { ...result, columnTypes: types }
  }
}

export interface OpenSchemaEngine {
  engine: SchemaEngine
  /** Freeing the engine leaves its connections open; they would hold the database against being cloned. */
  close(): Promise<void>
}

/** Prisma's schema engine in process: no binary, no download. `models` are (path, text) pairs, for diffs. */
export async function openSchemaEngine(url: string, models?: [string, string][]): Promise<OpenSchemaEngine> {
  loaded ??= loadWasm()
  await loaded
  const factory = new WholeScriptAdapter({ connectionString: url })
  const adapter = bindMigrationAwareSqlAdapterFactory(factory)
  const engine = await engineModule.SchemaEngine.new({ datamodels: models }, () => undefined, adapter)
  return {
    engine,
    async close() {
      engine.free()
      await Promise.all(factory.connections.map((connection) => connection.dispose()))
    },
  }
}
