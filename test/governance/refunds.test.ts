import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readRun, type RunSeen, startRuns } from '../flows/operations.ts'
import { runsOnRedis, startRedis } from '../flows/redis-server.ts'
import { codesOf } from '../world/caller.ts'
import { type Colleague, openRefundDesk, type RefundDesk } from './refund-desk.ts'

const PATIENCE = { timeout: 60_000, interval: 50 }
const ASKED = ['medium', 'lent', 'large', 'late', 'itself', 'tampered'] as const
const REFUNDS = ['small', ...ASKED] as const
type Refund = (typeof REFUNDS)[number]
const PAID = ['small', 'medium', 'lent', 'large', 'late', 'itself'] as const satisfies readonly Refund[]

const SUMS: Record<Refund, number> = {
  small: 20,
  medium: 100,
  lent: 200,
  large: 2_000,
  late: 300,
  itself: 400,
  tampered: 60,
}

const DECIDE = `mutation($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { status } } }`

describe.each(['PostgreSQL', 'Redis'] as const)(
  'refunds, and workers that die; the queue on %s',
  { timeout: 90_000 },
  (queue) => {
    const isThere = queue === 'PostgreSQL' || runsOnRedis
    const cleanup = new AsyncDisposableStack()
    let desk: RefundDesk
    const ids = new Map<Refund, string>()

    beforeAll(async () => {
      if (!isThere) return
      const redisUrl = queue === 'Redis' ? cleanup.use(await startRedis()).url : undefined
      desk = cleanup.use(await openRefundDesk(redisUrl))
    }, 90_000)
    afterAll(() => cleanup.disposeAsync())

    const idOf = (name: Refund): string => ids.get(name) ?? expect.unreachable()
    const seen = (name: Refund): Promise<RunSeen> => readRun(desk.platform.as('viewer'), idOf(name))

    async function approvalOf(name: Refund) {
      const { tasks } = await seen(name)
      return tasks.map(({ approval }) => approval).find((approval) => approval !== null)
    }

    async function questionOf(name: Refund) {
      await expect.poll(() => approvalOf(name), PATIENCE).toBeDefined()
      return (await approvalOf(name)) ?? expect.unreachable()
    }

    async function decide(who: Colleague, name: Refund, input: object = {}) {
      const { id } = await questionOf(name)
      return who.caller.send(DECIDE, { input: { id, decision: 'APPROVE', ...input } })
    }

    async function denials(name: string): Promise<{ outcome: string }[]> {
      const { auditEntries } = await desk.platform.as('admin').query<{
        auditEntries: { nodes: { outcome: string; details: { reasoning?: string } }[] }
      }>('{ auditEntries(first: 100, actionType: "denial") { nodes { outcome details } } }')
      return auditEntries.nodes
        .filter(({ details }) => details.reasoning?.startsWith(`approval/${name}`))
        .map(({ outcome }) => ({ outcome }))
    }

    test.runIf(isThere)(
      'a small sum is paid without asking, what is more waits, and the worker dies',
      async () => {
        const inputs = REFUNDS.map((name) => ({ customer: name, sum: SUMS[name], urgent: name === 'late' }))
        const started = await startRuns(desk.platform.as('operator'), desk.workflowId, inputs)
        for (const [at, name] of REFUNDS.entries()) ids.set(name, started[at] ?? '')
        for (const name of ASKED) await questionOf(name)
        await expect.poll(() => desk.busy(), PATIENCE).toBe(1)
        expect([...desk.payments().values()].map(({ json }) => json.input)).toEqual([
          { customer: 'small', sum: SUMS.small },
        ])
        await desk.killWorker()
      },
    )

    test.runIf(isThere)(
      'an agent does not approve what an agent asks for, and that is on record',
      async () => {
        const { id } = await questionOf('itself')
        expect(codesOf(await decide(desk.agentsKey, 'itself'))).toEqual(['SEPARATION_OF_DUTIES'])
        expect(await denials(id)).toEqual([{ outcome: 'SEPARATION_OF_DUTIES' }])
        expect((await decide(desk.ben, 'itself')).body.data).toMatchObject({
          decideApproval: { approval: { status: 'APPROVED' } },
        })
      },
    )

    test.runIf(isThere)(
      'a yes that was meant for something else is none, and that is on record',
      async () => {
        const { id } = await questionOf('medium')
        const digest = 'f'.repeat(64)
        expect(codesOf(await decide(desk.ben, 'medium', { digest }))).toEqual(['CONFLICT'])
        expect(await denials(id)).toEqual([{ outcome: 'CONFLICT' }])
        expect(codesOf(await decide(desk.ben, 'medium'))).toEqual([])
      },
    )

    test.runIf(isThere)('who lent the right to decide is named, and so is who decided', async () => {
      const input = { to: desk.dan.id, until: new Date(Date.now() + 3_600_000).toISOString() }
      expect(codesOf(await decide(desk.dan, 'lent'))).toEqual(['NOT_A_DECIDER'])
      await desk.ada.caller.query(
        'mutation($input: DelegateApprovalsInput!) { delegateApprovals(input: $input) { delegation { id } } }',
        { input: { ...input, actions: ['money.spend'] } },
      )
      expect(codesOf(await decide(desk.dan, 'lent'))).toEqual([])
      const { id } = await questionOf('lent')
      const { approval } = await desk.ada.caller.query<{ approval: { decisions: unknown[] } }>(
        'query($id: ID!) { approval(id: $id) { decisions { decidedBy { name } onBehalfOf { name } } } }',
        { id },
      )
      expect(approval.decisions).toEqual([{ decidedBy: { name: 'Dan' }, onBehalfOf: { name: 'Ada' } }])
    })

    test.runIf(isThere)('two of different teams say yes to a large one, each in their turn', async () => {
      expect(codesOf(await decide(desk.cleo, 'large'))).toEqual(['NOT_A_DECIDER'])
      expect((await decide(desk.ada, 'large')).body.data).toMatchObject({
        decideApproval: { approval: { status: 'PENDING' } },
      })
      expect(codesOf(await decide(desk.ben, 'large'))).toEqual(['NOT_A_DECIDER'])
      expect((await decide(desk.cleo, 'large')).body.data).toMatchObject({
        decideApproval: { approval: { status: 'APPROVED' } },
      })
    })

    test.runIf(isThere)('what nobody decides in time goes up, and an administrator decides it', async () => {
      const escalated = async () => {
        const { run } = await desk.platform
          .as('viewer')
          .query<{ run: { escalations: { level: string }[] } }>(
            'query($id: ID!) { run(id: $id) { escalations { level } } }',
            { id: idOf('late') },
          )
        return run.escalations
      }
      await expect.poll(escalated, PATIENCE).toEqual([{ level: 'person' }])
      const { id } = await questionOf('late')
      await desk.platform.as('admin').query(DECIDE, { input: { id, decision: 'APPROVE' } })
    })

    test.runIf(isThere)('arguments changed after the yes are refused, and that is on record', async () => {
      const { id } = await questionOf('tampered')
      await desk.platform.sql(`update task set input = input || '{"sum": 6000}' where run_id = $1`, [
        idOf('tampered'),
      ])
      expect(codesOf(await decide(desk.ben, 'tampered'))).toEqual([])
      await expect.poll(async () => (await seen('tampered')).status, PATIENCE).toBe('FAILED')
      expect(await seen('tampered')).toMatchObject({ tasks: [{ error: { code: 'ACTION_CHANGED' } }] })
      expect(
        await desk.platform.sql(
          `select e.outcome from audit_entry e join approval a on e.subject = 'task/' || a.task_id
         where a.id = $1 and e.action_type = 'denial'`,
          [id],
        ),
      ).toEqual([{ outcome: 'changed' }])
    })

    /** An escalation on the level of the domain, where nobody took it on in time yet. */
    async function escalate(): Promise<string> {
      const { requestApproval } = await desk.platform
        .as('operator')
        .query<{ requestApproval: { approval: { id: string } } }>(
          `mutation { requestApproval(input: { title: "Change the rules?", action: "rules", arguments: {}, reason: "r",
             stages: [{ deadlineSeconds: 86400, onDeadline: ESCALATE }], idempotencyKey: "rules" }) { approval { id } } }`,
        )
      const { id } = requestApproval.approval
      await desk.platform.sql('update approval set expires_at = clock_timestamp() where id = $1', [id])
      const found = async () =>
        (await desk.platform.sql<{ id: string }>('select id from escalation where approval_id = $1', [id]))[0]
          ?.id
      await expect.poll(found, PATIENCE).toBeDefined()
      const input = { id: await found(), level: 'DOMAIN', reason: 'Look at it first.' }
      await desk.platform
        .as('admin')
        .query(
          'mutation($input: ReassignEscalationInput!) { reassignEscalation(input: $input) { escalation { id } } }',
          { input },
        )
      return input.id ?? expect.unreachable()
    }

    test.runIf(isThere)(
      'the worker dies once more, in the middle of paying and of taking up an escalation, which goes up once',
      async () => {
        await expect.poll(() => desk.payments().size, PATIENCE).toBe(PAID.length)
        await expect.poll(() => desk.busy(), PATIENCE).toBeGreaterThan(0)
        const { sql, hold } = desk.platform
        const late = await escalate()
        {
          await using steps = await hold('lock table escalation_step in share mode')
          expect(steps).toBeDefined()
          await sql(
            'update escalation set acknowledge_by = clock_timestamp(), due_at = clock_timestamp() where id = $1',
            [late],
          )
          const takingUp = () =>
            sql(
              `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
                 and query ilike '%escalation_step%' and pid <> pg_backend_pid()`,
            )
          await expect.poll(async () => (await takingUp()).length, PATIENCE).toBeGreaterThan(0)
          await desk.killWorker()
        }
        const read = async () => {
          const { escalation } = await desk.platform
            .as('admin')
            .query<{ escalation: { level: string; steps: { kind: string }[] } }>(
              'query($id: ID!) { escalation(id: $id) { level steps { kind fromLevel level cause } } }',
              { id: late },
            )
          return escalation
        }
        await expect.poll(async () => (await read()).level, PATIENCE).toBe('enterprise')
        expect((await read()).steps.filter(({ kind }) => kind === 'raised')).toEqual([
          { kind: 'raised', fromLevel: 'domain', level: 'enterprise', cause: 'acknowledgement' },
        ])
      },
    )

    test.runIf(isThere)('each was paid once', async () => {
      desk.answer()
      for (const name of PAID)
        await expect.poll(async () => (await seen(name)).status, PATIENCE).toBe('COMPLETED')
      const paid = [...desk.payments().values()].map(({ json }) => json.input)
      expect(paid.toSorted(byCustomer)).toEqual(
        PAID.map((customer) => ({ customer, sum: SUMS[customer] })).toSorted(byCustomer),
      )
    })

    test.runIf(isThere)(
      'an approved sum is not another one’s: a fork with other arguments asks anew',
      async () => {
        const { id: approved } = await questionOf('medium')
        const { forkRun } = await desk.platform
          .as('operator')
          .query<{ forkRun: { run: { id: string } } }>(
            'mutation($input: ForkRunInput!) { forkRun(input: $input) { run { id } } }',
            { input: { id: idOf('medium'), stepPath: 'pay', state: { sum: 1_000 } } },
          )
        ids.set('medium', forkRun.run.id)
        const { id, status } = await questionOf('medium')
        expect({ isOther: id !== approved, status }).toEqual({ isOther: true, status: 'PENDING' })
        await decide(desk.ada, 'medium', { decision: 'REJECT', comment: 'No.' })
        await expect.poll(async () => (await seen('medium')).status, PATIENCE).toBe('FAILED')
      },
    )

    test.runIf(isThere)('nothing was paid without a yes to exactly that', async () => {
      const approvals = await desk.platform.sql<{ usedBy: string; arguments: object; given: number }>(
        `select a.used_by as "usedBy", coalesce(a.final_arguments, a.arguments) as arguments,
         (select count(distinct d.person_id)::int from approval_decision d where d.approval_id = a.id
          and d.verdict = 'approved' and d.digest = a.digest) as given
       from approval a where a.status = 'approved' and a.used_by is not null`,
      )
      const unapproved = [...desk.payments()].filter(([key, { json }]) => {
        const sum = Number(json.input['sum'])
        const needed = sum <= 50 ? 0 : sum <= 500 ? 1 : 2
        const yes = approvals.find(({ usedBy }) => usedBy.startsWith(`${key}/agent/`))
        return needed > 0 && !(yes && yes.given >= needed && isDeepStrictEqual(yes.arguments, json.input))
      })
      expect(unapproved).toEqual([])
      expect(desk.payments().size).toBe(PAID.length)
      expect(approvals).toHaveLength(PAID.length - 1)
    })
  },
)

const byCustomer = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
  String(a['customer']) < String(b['customer']) ? -1 : 1
