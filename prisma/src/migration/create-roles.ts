import type pg from 'pg'
import { DATABASE_ROLES, rolePassword } from '../roles.ts'

/** Limits that keep a forgotten transaction from holding everybody's feed (see DESIGN.md, Events). */
const LIMITS = {
  idle_in_transaction_session_timeout: '15s',
  transaction_timeout: '60s',
  statement_timeout: '30s',
} as const

/**
 * The engine's statements always mean their indexes. A generic plan made while a table was small would scan it for
 * ever after: 1,700 steps a second became 400 within 20,000 tasks.
 */
const ENGINE_PLANNING = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_bitmapscan: 'off',
  join_collapse_limit: '1',
  from_collapse_limit: '1',
  jit: 'off',
} as const

/**
 * Whoever writes makes PostgreSQL check foreign keys, by plans that it keeps for the connection. One made while the table
 * of runs had a page would scan it for every new row from then on: starting 500 runs took 5 s beside 10,000.
 */
const API_PLANNING = { enable_seqscan: 'off' } as const

/** Creates the login roles or resets their passwords. Roles belong to the cluster, so others may do so at once. */
export async function createRoles(client: pg.Client, secret: string): Promise<void> {
  for (const role of DATABASE_ROLES) {
    const name = `tutti_${role}`
    const password = client.escapeLiteral(rolePassword(secret, role))
    await ensureRole(client, name, `login noinherit password ${password}`)
    if (role === 'queue') continue
    for (const [setting, value] of Object.entries({
      ...LIMITS,
      ...(role === 'worker' ? ENGINE_PLANNING : {}),
      ...(role === 'api' ? API_PLANNING : {}),
    })) {
      await retryConcurrent(() => client.query(`alter role ${name} set ${setting} = '${value}'`))
    }
  }
  await ensureRole(client, 'tutti_definer', 'nologin noinherit')
}

async function ensureRole(client: pg.Client, name: string, attributes: string): Promise<void> {
  await retryConcurrent(async () => {
    const { rowCount } = await client.query('select from pg_roles where rolname = $1', [name])
    await client.query(`${rowCount ? 'alter' : 'create'} role ${name} ${attributes}`)
  })
}

/** Two databases of one cluster may migrate at once; PostgreSQL then says so and a repeat succeeds. */
async function retryConcurrent(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work()
      return
    } catch (error) {
      const concurrent =
        error instanceof Error && /concurrently updated|already exists|duplicate key/.test(error.message)
      if (!concurrent || attempt === 10) throw error
    }
  }
}
