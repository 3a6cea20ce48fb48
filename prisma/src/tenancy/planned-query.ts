import pg from 'pg'

type Row = Record<string, unknown>

interface Field {
  name: string
  dataTypeID: number
}

/** How a statement's rows are read; without columns it answers with none. */
interface Shape {
  columns: readonly { name: string; parse(value: string): unknown }[]
  /** A row of nulls: what is copied has its columns at once. */
  empty: Readonly<Record<string, null>>
}

const NO_ROWS: Shape = { columns: [], empty: {} }

/** Of each connection's statements, by name. PostgreSQL fails a named statement whose columns change, so they never do. */
const shapes = new WeakMap<pg.Connection, Map<string, Shape>>()
const quiet = new WeakMap<pg.Connection, pg.Connection>()

function shapesOf(connection: pg.Connection): Map<string, Shape> {
  const known = shapes.get(connection)
  if (known) return known
  const made = new Map<string, Shape>()
  shapes.set(connection, made)
  return made
}

/** The same connection, on which nobody asks what columns a statement has. */
function quietly(connection: pg.Connection): pg.Connection {
  const known = quiet.get(connection)
  if (known) return known
  const made: pg.Connection = Object.create(connection, { describe: { value: () => undefined } })
  quiet.set(connection, made)
  return made
}

function shapeOf(fields: readonly Field[], types: pg.CustomTypesConfig): Shape {
  const columns = fields.map(({ name, dataTypeID }) => ({ name, parse: types.getTypeParser(dataTypeID) }))
  return { columns, empty: Object.fromEntries(columns.map(({ name }) => [name, null])) }
}

/**
 * A named statement whose columns are asked for once a connection: pg asks with every execution, which costs PostgreSQL and us
 * more than a row. pg calls its methods as the answer comes in.
 */
class PlannedQuery extends pg.Query {
  readonly name: string
  readonly found: Row[] = []
  readonly #types: pg.CustomTypesConfig
  #shape: Shape | undefined
  #shapes: Map<string, Shape> | undefined

  constructor(
    { name, text, values }: pg.QueryConfig & { name: string; values: unknown[] },
    types: pg.CustomTypesConfig,
    done: (error: Error | undefined, result: { rowCount: number | null }) => void,
  ) {
    super(text, values, done)
    this.name = name
    this.#types = types
    const submit = this.submit.bind(this)
    this.submit = (connection) => {
      this.#shapes = shapesOf(connection)
      this.#shape = this.#shapes.get(name)
      return submit(this.#shape ? quietly(connection) : connection)
    }
  }

  handleRowDescription({ fields }: { fields: readonly Field[] }): void {
    this.#learn(shapeOf(fields, this.#types))
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const { columns, empty } = this.#shape ?? NO_ROWS
    const row: Row = { ...empty }
    columns.forEach(({ name, parse }, index) => {
      const value = fields[index]
      if (value != null) row[name] = parse(value)
    })
    this.found.push(row)
  }

  /** It ended well: without a description it has no columns. */
  settle(): void {
    if (!this.#shape) this.#learn(NO_ROWS)
  }

  #learn(shape: Shape): void {
    this.#shape = shape
    this.#shapes?.set(this.name, shape)
  }
}

/** Runs a named statement on a connection; it is parsed and described there once. */
export async function queryPlanned(
  client: pg.ClientBase,
  config: pg.QueryConfig & { name: string; values: unknown[] },
  types: pg.CustomTypesConfig,
): Promise<{ rows: Row[]; rowCount: number }> {
  try {
    return await new Promise((resolve, reject) => {
      const query = new PlannedQuery(config, types, (error, result) => {
        if (error) return reject(error)
        query.settle()
        resolve({ rows: query.found, rowCount: result.rowCount ?? 0 })
      })
      client.query(query)
    })
  } catch (error) {
    // Its stack would lead to the socket, and not to who asked.
    if (error instanceof Error) Error.captureStackTrace(error)
    throw error
  }
}
