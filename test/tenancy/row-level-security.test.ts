import { DATABASE_ROLES, Prisma, roleUrl } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertOf, readTables, type Table, WITHOUT_TENANT } from './catalog.ts'

let world: TestDatabase
let owner: pg.Client
let api: pg.Client
let tables: Table[]
let tenantTables: Table[]
let a: Actor
let b: Actor

// Prisma's filter is off here: what holds, PostgreSQL holds alone.
beforeAll(async () => {
  world = await openTestDatabase({ scoping: false })
  owner = new pg.Client({ connectionString: world.url })
  api = new pg.Client({ connectionString: roleUrl(world.url, 'api', world.secret) })
  await Promise.all([owner.connect(), api.connect()])
  tables = await readTables(owner)
  tenantTables = tables.filter(({ name }) => !WITHOUT_TENANT.includes(name))
  a = testActor('admin')
  b = testActor('admin')
  // A row of each in every table; foreign keys are not looked at, so that a new table needs nothing here.
  await owner.query('set session_replication_role = replica')
  for (const table of tenantTables) {
    for (const { organizationId } of [a, b]) {
      const { text, values } = insertOf(table, organizationId)
      await owner.query(text, values)
    }
  }
  await owner.query('set session_replication_role = default')
})
afterAll(async () => {
  await Promise.all([owner.end(), api.end()])
  await world[Symbol.asyncDispose]()
})

/** What role api may add to and never change, and what it may only read. */
const APPEND_ONLY = [
  'log.event',
  'public.audit_entry',
  'public.audit_export_part',
  'public.approval_decision',
  'public.escalation_step',
]
const READ_ONLY = ['public.audit_seal', 'public.audit_checkpoint']
const UNCHANGEABLE_MODELS = [
  'ApprovalDecision',
  'EscalationStep',
  'AuditEntry',
  'AuditExportPart',
  'AuditSeal',
  'AuditCheckpoint',
]
const unchangeable = ({ name }: Pick<Table, 'name'>): boolean => [...APPEND_ONLY, ...READ_ONLY].includes(name)

/** Runs as role api in a transaction of this tenant, or of none, and rolls back. */
async function asTenant<T>(organizationId: string | null, work: () => Promise<T>): Promise<T> {
  await api.query('begin')
  try {
    if (organizationId !== null)
      await api.query(`select set_config('app.organization', $1, true)`, [organizationId])
    return await work()
  } finally {
    await api.query('rollback')
  }
}

/** What each table answers; for failures that name the table. */
async function ofEach<T>(look: (table: Table) => Promise<T>): Promise<Record<string, T>> {
  const answers: Record<string, T> = {}
  for (const table of tenantTables) answers[table.name] = await look(table)
  return answers
}

const same = <T>(value: T): Record<string, T> =>
  Object.fromEntries(tenantTables.map(({ name }) => [name, value]))

const refusal = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'allowed',
    (error: unknown) =>
      error instanceof pg.DatabaseError
        ? `${error.code} ${error.message.split(' ').slice(0, 4).join(' ')}`
        : 'failed',
  )

describe('the catalog', () => {
  test('is read', () => {
    expect(tenantTables.length).toBeGreaterThanOrEqual(22)
    expect(tenantTables.map(({ name }) => name)).toContain('log.event')
    expect(tables.filter(({ name }) => WITHOUT_TENANT.includes(name))).toHaveLength(WITHOUT_TENANT.length)
  })

  test('has row-level security enabled, forced, and with a policy for role api on every table', () => {
    const loose = tenantTables.filter(
      ({ enabled, forced, policyRoles }) => !enabled || !forced || !policyRoles.includes('tutti_api'),
    )
    expect(loose.map(({ name }) => name)).toEqual([])
  })

  test('keys every table by its tenant first', () => {
    expect(
      tenantTables.filter(({ primaryKey }) => primaryKey[0] !== 'organization_id').map(({ name }) => name),
    ).toEqual([])
  })

  test('lets no foreign key leave its tenant', () => {
    const keys = tenantTables.flatMap(({ name, foreignKeys }) => foreignKeys.map((key) => ({ name, ...key })))
    expect(keys.length).toBeGreaterThan(5)
    const leaving = keys.filter(
      ({ columns, references }) => columns[0] !== 'organization_id' || references[0] !== 'organization_id',
    )
    expect(leaving).toEqual([])
  })
})

describe('role api', () => {
  const count =
    (where = 'true') =>
    (table: Table) =>
      api.query(`select count(*)::int as n from ${table.name} where ${where}`).then(({ rows }) => rows[0]?.n)

  test('sees no row without a tenant', async () => {
    expect(await asTenant(null, () => ofEach(count()))).toEqual(same(0))
  })

  test('sees the rows of its tenant and of nobody else', async () => {
    for (const { organizationId } of [a, b]) {
      const [all, own] = await asTenant(organizationId, async () => [
        await ofEach(count()),
        await ofEach(count(`organization_id = '${organizationId}'`)),
      ])
      expect(all).toEqual(own)
      expect(Object.entries(all ?? {}).filter(([, rows]) => rows !== 1)).toEqual([])
    }
  })

  test('cannot write a row of another tenant', async () => {
    const answers = await ofEach((table) =>
      asTenant(b.organizationId, () => {
        const { text, values } = insertOf(table, a.organizationId)
        return refusal(api.query(text, values))
      }),
    )
    for (const { name } of tenantTables) {
      const expected = READ_ONLY.includes(name)
        ? /^42501 permission denied/
        : /^42501 new row violates row-level/
      expect(answers[name], name).toMatch(expected)
    }
  })

  test('cannot give a row away, nor touch one of another tenant', async () => {
    const given = await ofEach((table) =>
      asTenant(b.organizationId, () =>
        refusal(api.query(`update ${table.name} set organization_id = $1`, [a.organizationId])),
      ),
    )
    for (const table of tenantTables) {
      const expected = unchangeable(table) ? /^42501 permission denied/ : /^42501 new row violates/
      expect(given[table.name], table.name).toMatch(expected)
    }
    const touch = (statement: (name: string) => string) =>
      ofEach((table) =>
        asTenant(b.organizationId, async () => {
          const work = api.query(`${statement(table.name)} where organization_id = $1`, [a.organizationId])
          return unchangeable(table) ? refusal(work) : (await work).rowCount
        }),
      )
    const nothing = Object.fromEntries(
      tenantTables.map((table) => [
        table.name,
        unchangeable(table) ? expect.stringMatching(/^42501 permission denied/) : 0,
      ]),
    )
    expect(await touch((name) => `update ${name} set organization_id = organization_id`)).toEqual(nothing)
    expect(await touch((name) => `delete from ${name}`)).toEqual(nothing)
  })

  test('can only append to the log and the audit trail, and read its chain, also of its own tenant', async () => {
    for (const name of [...APPEND_ONLY, ...READ_ONLY]) {
      const statements = [
        `update ${name} set organization_id = organization_id`,
        `delete from ${name}`,
        `truncate ${name}`,
      ]
      for (const statement of statements) {
        const answer = await asTenant(b.organizationId, () => refusal(api.query(statement)))
        expect(answer, statement).toMatch(/^42501 permission denied/)
      }
    }
  })

  test('cannot become somebody else, switch the policies off, or enter the partitions', async () => {
    for (const statement of [
      'set role tutti_worker',
      'set role tutti_definer',
      'alter table run disable row level security',
      'set session_replication_role = replica',
      'select * from log_partitions.event_default',
      'select * from log.consumer',
    ]) {
      expect(await asTenant(b.organizationId, () => refusal(api.query(statement))), statement).toMatch(
        /^42501/,
      )
    }
  })

  test('can ask for the organization of a key it knows, and for nothing else of it', async () => {
    const { rows } = await owner.query(
      'select hash, organization_id from api_key where organization_id = $1',
      [a.organizationId],
    )
    const found = await asTenant(null, () =>
      api.query('select find_api_key_organization($1) as o', [rows[0]?.hash]),
    )
    expect(found.rows).toEqual([{ o: a.organizationId }])
  })
})

test('role api can ask for the organization of a webhook it knows the path of, and for nothing else of it', async () => {
  const { rows } = await owner.query('select path_hash from trigger where organization_id = $1', [
    a.organizationId,
  ])
  const found = await asTenant(null, () =>
    api.query('select find_trigger_organization($1) as o, find_trigger_organization($2) as nobody', [
      rows[0]?.path_hash,
      'unknown',
    ]),
  )
  expect(found.rows).toEqual([{ o: a.organizationId, nobody: null }])
})

describe('Prisma without its filter', () => {
  interface Delegate {
    findMany(): Promise<{ organizationId: string }[]>
    count(options?: object): Promise<number>
    updateMany(options: object): Promise<{ count: number }>
    deleteMany(options: object): Promise<{ count: number }>
  }
  const models = Object.values(Prisma.ModelName)
  const inModel = <T>(actor: Actor, model: string, work: (delegate: Delegate) => Promise<T>): Promise<T> =>
    world.database.inTenant(actor, (tx) =>
      work(Reflect.get(tx.db, `${model[0]?.toLowerCase()}${model.slice(1)}`)),
    )

  test('knows the models', () => {
    expect(models.length).toBe(tenantTables.length - 1)
  })

  test.each(models)('%s of another tenant is neither read, counted, changed nor deleted', async (model) => {
    for (const [reader, other] of [[a, b] as const, [b, a] as const]) {
      const rows = await inModel(reader, model, (each) => each.findMany())
      expect(rows.map(({ organizationId }) => organizationId)).toEqual([reader.organizationId])
      const where = { organizationId: other.organizationId }
      expect(await inModel(reader, model, (each) => each.count({ where }))).toBe(0)
      const data = { organizationId: other.organizationId }
      const update = () => inModel(reader, model, (each) => each.updateMany({ where, data }))
      const removal = () => inModel(reader, model, (each) => each.deleteMany({ where }))
      if (UNCHANGEABLE_MODELS.includes(model)) {
        await expect(update()).rejects.toThrow('permission denied')
        await expect(removal()).rejects.toThrow('permission denied')
      } else {
        expect(await update()).toEqual({ count: 0 })
        expect(await removal()).toEqual({ count: 0 })
      }
    }
  })
})

describe('other roles', () => {
  // s(elect), i(nsert), u(pdate), d(elete), t(runcate); what is not named here is nothing.
  const everything = 'siud'
  const GRANTED: Record<string, (table: string) => string> = {
    tutti_api: (table) =>
      table === 'log.signing_key' || READ_ONLY.includes(table)
        ? 's'
        : WITHOUT_TENANT.includes(table)
          ? ''
          : APPEND_ONLY.includes(table)
            ? 'si'
            : everything,
    tutti_worker: (table) =>
      ({
        'public.run': 'siu',
        'public.task': 'siu',
        'public.task_log': 'sd',
        'public.strand': 'siud',
        'public.run_signal': 'su',
        'public.trigger': 'su',
        'public.trigger_firing': 'siud',
        'public.integration_event': 'sd',
        'public.connector_delivery': 'sd',
        'public.decision_link': 'sd',
        'public.notification': 'sd',
        'public.workflow': 's',
        'public.workflow_version': 'si',
        'public.agent': 's',
        'public.agent_deployment': 's',
        'public.board_item': 'siu',
        'public.organization': 's',
        'public.team': 's',
        'public.model_call': 'sd',
        'public.breaker': 's',
        'public.agent_health': 'siu',
        'public.agent_load': 'siud',
        'public.agent_scaling': 's',
        'public.agent_share': 's',
        'public.rebalance_settings': 's',
        'public.reliability_settings': 's',
        'public.quality_assessment': 's',
        'public.agent_message': 'sud',
        'public.message_broadcast': 'sd',
        'public.model_response': 'sd',
        'public.audit_export': 's',
        'public.audit_export_part': 'sd',
        'public.operation': 's',
        'public.put_aside_event': 's',
        'public.shared_resource': 's',
        'public.resource_booking': 'sd',
        'public.budget': 's',
        'public.budget_use': 'siud',
        'public.budget_reservation': 'siud',
        'public.containment': 's',
        'public.containment_stop': 'su',
        'public.engine_limit': 'su',
        'public.engine_settings': 's',
        'public.task_cost': 'si',
        'log.event': 'si',
        'log.consumer': 'siu',
      })[table] ?? '',
    tutti_tail: (table) => ({ 'log.event': 's' })[table] ?? '',
    tutti_definer: (table) =>
      ({
        'public.api_key': 's',
        'public.approval': 's',
        // Of what is never changed it takes away what somebody wrote who was forgotten, and nothing else.
        'public.approval_decision': 'su',
        'public.escalation_step': 'su',
        'public.audit_entry': 'su',
        'public.subject_key': 's',
        'public.escalation': 's',
        'public.notification': 's',
        'public.connector': 's',
        'public.decision_link': 's',
        'public.session': 's',
        'public.trigger': 's',
      })[table] ?? '',
    tutti_queue: () => '',
    // Of a checkpoint it changes when it was written outside, and nothing else.
    tutti_sealer: (table) =>
      ({ 'log.signing_key': 'si', 'public.audit_seal': 'si', 'public.audit_checkpoint': 'siu' })[table] ?? '',
    // Of a key only whose it is, not the key.
    tutti_retention: (table) =>
      ({
        'public.subject_key': 's',
        'public.audit_entry': 'sd',
        'public.audit_retention': 's',
        'public.legal_hold': 's',
        'log.event': 'si',
      })[table] ?? '',
  }

  test('are those that the platform makes', async () => {
    const { rows } = await owner.query<{ rolname: string }>(
      `select rolname from pg_roles where rolname like 'tutti\\_%' order by 1`,
    )
    const known = [...DATABASE_ROLES.map((role) => `tutti_${role}`), 'tutti_definer'].sort()
    expect(rows.map(({ rolname }) => rolname)).toEqual(known)
    expect(Object.keys(GRANTED).sort()).toEqual(known)
  })

  test.each(Object.keys(GRANTED))('%s may exactly what is written here', async (role) => {
    const { rows } = await owner.query<{ name: string; granted: string }>(
      `select n.nspname || '.' || c.relname as name,
         case when has_any_column_privilege($1, c.oid, 'select') then 's' else '' end ||
         case when has_any_column_privilege($1, c.oid, 'insert') then 'i' else '' end ||
         case when has_any_column_privilege($1, c.oid, 'update') then 'u' else '' end ||
         case when has_table_privilege($1, c.oid, 'delete') then 'd' else '' end ||
         case when has_table_privilege($1, c.oid, 'truncate') then 't' else '' end as granted
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'v', 'm') and n.nspname in ('public', 'log', 'log_partitions') order by 1`,
      [role],
    )
    const expected = rows.map(({ name }) => [
      name,
      name.startsWith('log_partitions.') ? '' : (GRANTED[role]?.(name) ?? ''),
    ])
    expect(rows.map(({ name, granted }) => [name, granted])).toEqual(expected)
  })

  test('change nothing of the record: no entry, no event, no seal; of a checkpoint, when it was written outside', async () => {
    const { rows } = await owner.query(
      `select r.rolname as role, c.oid::regclass::text as table, a.attname as column
       from pg_roles r, pg_class c, pg_attribute a
       where r.rolname like 'tutti\\_%' and a.attrelid = c.oid and a.attnum > 0
         and c.oid = any(array['log.event', 'audit_entry', 'audit_seal', 'audit_checkpoint']::regclass[])
         and has_column_privilege(r.oid, c.oid, a.attnum, 'update') order by 1, 2, 3`,
    )
    expect(rows).toEqual([
      // What search finds an entry by, which no part of the record is.
      { role: 'tutti_definer', table: 'audit_entry', column: 'words' },
      { role: 'tutti_sealer', table: 'audit_checkpoint', column: 'published_at' },
    ])
  })

  test('have no way around the policies', async () => {
    const { rows: able } = await owner.query(
      `select rolname from pg_roles where rolname like 'tutti\\_%'
       and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)`,
    )
    expect(able).toEqual([])
    const { rows: members } = await owner.query(
      `select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.member where r.rolname like 'tutti\\_%'`,
    )
    expect(members).toEqual([])
    const { rows: owned } = await owner.query(
      `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
       where n.nspname in ('public', 'log', 'log_partitions') and r.rolname like 'tutti\\_%'`,
    )
    expect(owned).toEqual([])
  })

  test('run with another one’s rights only these functions', async () => {
    const { rows } = await owner.query(
      `select p.oid::regprocedure::text as name, coalesce((select array_agg(r.rolname::text order by 1)
         from aclexplode(p.proacl) x left join pg_roles r on r.oid = x.grantee
         where x.privilege_type = 'EXECUTE' and x.grantee <> p.proowner), '{public}') as callers
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where p.prosecdef and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`,
    )
    expect(rows).toEqual([
      { name: 'audit_entries_under(uuid[])', callers: ['tutti_api'] },
      {
        name: 'audit_matches(text,text,uuid,timestamp with time zone,timestamp with time zone,integer)',
        callers: ['tutti_api'],
      },
      { name: 'erase_remarks(text,text)', callers: ['tutti_api'] },
      { name: 'erase_words(uuid[])', callers: ['tutti_api'] },
      { name: 'find_api_key_organization(text)', callers: ['tutti_api'] },
      { name: 'find_connector_organization(text)', callers: ['tutti_api'] },
      { name: 'find_decision_link_organization(text)', callers: ['tutti_api'] },
      { name: 'find_due_escalations(integer)', callers: ['tutti_worker'] },
      { name: 'find_due_notifications(integer)', callers: ['tutti_worker'] },
      { name: 'find_overdue_approvals(integer)', callers: ['tutti_worker'] },
      { name: 'find_session_organization(text)', callers: ['tutti_api'] },
      { name: 'find_trigger_organization(text)', callers: ['tutti_api'] },
      { name: 'log.ensure_partitions()', callers: ['tutti_worker'] },
    ])
  })
})
