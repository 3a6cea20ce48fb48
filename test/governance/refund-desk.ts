import { expect } from 'vitest'
import { type AgentCall, type HttpAgent, httpAgentDocument, startHttpAgent } from '../flows/http-agent.ts'
import { applyWorkflow, registerAgent } from '../flows/operations.ts'
import { type Platform, startPlatform } from '../flows/platform.ts'
import { type Caller, openCaller } from '../world/caller.ts'

/** Somebody with a key of their own. */
export interface Colleague {
  id: string
  name: string
  caller: Caller
}

/** A platform of real processes whose agent pays refunds, and those who may say yes to it. */
export interface RefundDesk extends AsyncDisposable {
  readonly platform: Platform
  readonly workflowId: string
  /** Approvers; no finance. */
  readonly ada: Colleague
  readonly ben: Colleague
  /** May decide what is lent to him. */
  readonly dan: Colleague
  /** Of finance, no approver. */
  readonly cleo: Colleague
  /** A key of an agent's that could decide, were it a person's. */
  readonly agentsKey: Colleague
  /** Calls that pay, by the platform's idempotency key. */
  payments(): Map<string, AgentCall>
  /** Payments under way. */
  busy(): number
  /** From now on payments are answered; until then they hang. */
  answer(): void
  /** SIGKILL to the worker process; settles when another one runs. */
  killWorker(): Promise<void>
}

const PATIENCE = { timeout: 60_000, interval: 50 }
const FINANCE = 'finance'

const step = (name: string, governs: object) => ({
  name,
  agent: 'refunder',
  input: { customer: 'customer', sum: 'sum' },
  output: 'refunded',
  governs: { action: 'money.spend', amount: 'sum', risk: 'medium', ...governs },
  next: 'end',
})

const REFUNDS = {
  format: 'tutti/1',
  name: 'refunds',
  inputs: ['customer', 'sum', 'urgent'],
  steps: [
    { name: 'way', condition: 'urgent == true', if_true: 'pay_now', if_false: 'pay' },
    step('pay', {}),
    step('pay_now', { deadline: '5s', on_deadline: 'escalate' }),
  ],
}

/** Starts it. Up to 50 an agent pays alone, above that an approver is asked, above 500 finance as well, by a policy. */
export async function openRefundDesk(redisUrl: string | undefined): Promise<RefundDesk> {
  await using building = new AsyncDisposableStack()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  const agent: HttpAgent = building.use(
    await startHttpAgent(({ json }) => ({ output: { paid: json.input['sum'] }, after: answered })),
  )
  const platform = building.use(
    await startPlatform('standalone', {
      environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true' },
      ...(redisUrl === undefined ? {} : { redisUrl }),
    }),
  )
  const admin = platform.as('admin')

  const hire = async (name: string, roles: string[], kind = 'person'): Promise<Colleague> => {
    const { createApiKey } = await admin.query<{
      createApiKey: { secret: string; apiKey: { principalId: string } }
    }>(
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { principalId } } }',
      { input: { principalName: name, roles, kind } },
    )
    const caller = openCaller(platform.url, createApiKey.secret)
    building.defer(() => caller.close())
    return { id: createApiKey.apiKey.principalId, name, caller }
  }
  const [ada, ben] = [await hire('Ada', ['approver']), await hire('Ben', ['approver'])]
  const [dan, cleo] = [await hire('Dan', ['viewer']), await hire('Cleo', ['viewer'])]
  const agentsKey = await hire('key of the agent', ['agent', 'approver'], 'agent')

  await admin.query(
    `mutation { setRole(input: { name: "controller", description: "Decides when asked.", scopes: ["approvals:decide"] })
      { role { name } } }`,
  )
  for (const { id } of [dan, cleo])
    await admin.query(
      `mutation($id: ID!) { assignRole(input: { role: "controller", principalId: $id }) { assignment { id } } }`,
      { id },
    )
  await admin.query('mutation($input: SetGroupInput!) { setGroup(input: $input) { group { id } } }', {
    input: { name: FINANCE, memberIds: [cleo.id] },
  })
  const { createPolicy } = await admin.query<{ createPolicy: { policy: { id: string } } }>(
    'mutation($input: CreatePolicyInput!) { createPolicy(input: $input) { policy { id } } }',
    {
      input: {
        name: 'Large refunds',
        kind: 'RESOURCES',
        actions: ['money.spend'],
        condition: 'context.amount != null && context.amount > 500',
        effect: 'REQUIRE_APPROVAL',
        stages: [{ groups: [FINANCE] }],
      },
    },
  )
  const { id } = createPolicy.policy
  await admin.query('mutation($id: ID!) { submitPolicy(input: { id: $id }) { policy { id } } }', { id })
  // Not by a key that who wrote it made.
  await platform
    .as('approver')
    .query(
      'mutation($id: ID!) { reviewPolicy(input: { id: $id, version: 1, decision: APPROVE }) { policy { id } } }',
      { id },
    )
  await registerAgent(admin, httpAgentDocument('refunder', agent.url))
  const workflowId = await applyWorkflow(admin, REFUNDS)

  const running = building.move()
  return {
    platform,
    workflowId,
    ada,
    ben,
    dan,
    cleo,
    agentsKey,
    payments: () => new Map(agent.calls.map((call) => [String(call.headers['idempotency-key']), call])),
    busy: () => agent.busy(),
    answer,
    async killWorker() {
      const pid = () => platform.tutti.pids()['worker'] ?? 0
      await expect.poll(pid, PATIENCE).toBeGreaterThan(0)
      const worker = pid()
      process.kill(worker, 'SIGKILL')
      await expect.poll(() => ![0, worker].includes(pid()), PATIENCE).toBe(true)
    },
    async [Symbol.asyncDispose]() {
      answer()
      await running.disposeAsync()
    },
  }
}
