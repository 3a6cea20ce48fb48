import {
  type Amount,
  type CacheLevel,
  type CacheReach,
  chooseModel,
  knownRegistry,
  measurementsOf,
  type Model,
  recordModelCall,
} from '@tutti/agents/domain'
import { actionOf, endForBudgets } from '../budgets/breach.ts'
import { estimatedUsd, NoRoom, reserveCall, type TokenEstimate } from '../budgets/reserve-call.ts'
import {
  answerOf,
  type AskModel,
  callProvider,
  ModelError,
  type ModelErrorCode,
  type ModelReply,
  type ModelRequest,
  MOST_OUTPUT_TOKENS,
  readBySchema,
  requestOf,
} from '../builtins/model/index.ts'
import { type CacheEntry, cacheEntryOf, reachOf } from './cache-entry.ts'
import { type ModelServer, modelServerOf } from '../credentials/model-server-of.ts'
import type { TaskCall } from '../executors/executor.ts'
import { enterProvider } from '../recovery/enter-provider.ts'

/** The failures after which another model is asked; others would come from any. */
const FALL_BACK: ReadonlySet<ModelErrorCode> = new Set([
  'MODEL_RATE_LIMITED',
  'MODEL_QUOTA_EXHAUSTED',
  'MODEL_UNAVAILABLE',
  'MODEL_TIMEOUT',
])
/** A token is some four letters of English; fewer of most else. */
const LETTERS_A_TOKEN = 3
/** A model that was set, and other settings, are felt this soon. */
const TRUST_MS = 1_000

/** Whom a task puts its questions to. */
export interface OpenModel {
  ask: AskModel
  /**
   * One call, with what `read` makes of the reply; a ModelError that it throws is the call's failure. Rejects with
   * ModelError, or with the signal's reason.
   */
  exchange<T>(request: ModelRequest, read: (reply: ModelReply) => T): Promise<{ value: T; reply: ModelReply }>
  /** What its answers have cost so far, US dollars. */
  costUsd(): number
}

/** One model of a chain. */
interface Turn {
  name: string
  /** Null when the registry does not know it. */
  model: Model | null
}

/** Whom to call in which order, and why. */
interface Plan {
  turns: Turn[]
  reason: Readonly<Record<string, unknown>>
  /** Who is out of use together with one that asks to wait. */
  rateLimitScope: 'model' | 'provider'
  /** How far answers may be kept. */
  reach: CacheReach
}

/**
 * The models that a task may ask: by the router when the organization has taken more than one into use, else those of the
 * agent's configuration, in their order. After 429, 5xx and timeouts the next one is asked; every call is recorded with
 * its reason. Undefined when the agent names no model or there is no server. Rejects with CredentialProblem.
 */
export async function openModel(
  call: Pick<TaskCall, 'services' | 'task' | 'agent' | 'actor' | 'secrets' | 'egress'>,
  taskType: string,
): Promise<OpenModel | undefined> {
  const { services, task, agent, actor, secrets } = call
  if (!agent.models) return undefined
  const configured = [agent.models.primary, ...(agent.models.fallback ? [agent.models.fallback] : [])]
  const servers = new Map<string, Promise<ModelServer | undefined>>()
  let costUsd = 0
  let last: Turn | undefined

  function serverOf({ name, model }: Turn): Promise<ModelServer | undefined> {
    const provider = model?.provider ?? providerIn(name)
    const server = servers.get(provider) ?? modelServerOf(call, provider)
    servers.set(provider, server)
    return server
  }

  /** The one place through which every call of a model goes. */
  async function callOne<T>(
    turn: Turn,
    server: ModelServer,
    { request, read, reason, estimate, reach }: Exchange<T>,
  ): Promise<{ value: T; reply: ModelReply }> {
    const { name, model } = turn
    const base = {
      model,
      name,
      runId: task.runId,
      taskId: task.id,
      agentId: task.agentId,
      quality: null,
      reason,
    }
    const entry = cacheEntryOf(call, turn, server, request, reach)
    const { kept, missed } = await answerAgain(entry, read, base)
    if (kept) return kept
    const pass = await enterProvider(services, actor.organizationId, model?.provider ?? providerIn(name))
    const settle = await reserveCall(call, model, estimate, request.signal)
    let spent: Amount = { usd: 0, tokens: 0, calls: 1 }
    const id = model?.id ?? name
    const over = measurementsOf(services.database).starting(
      actor.organizationId,
      id,
      estimate.input + estimate.output,
    )
    const began = performance.now()
    let reply: ModelReply | undefined
    try {
      reply = await pass(() => callProvider({ ...server, model: nameAt(turn, server) }, request))
      const value = read(reply)
      const { tokens, ms } = reply
      const usd = await record({
        ...base,
        tokens,
        latencyMs: ms,
        outcome: 'ok',
        retryAfterMs: undefined,
        cache: { level: 'none', missed },
      })
      costUsd += usd
      spent = { usd, tokens: tokens.input + tokens.output, calls: 1 }
      await keep(entry, reply, usd)
      return { value, reply }
    } catch (error) {
      if (!(error instanceof ModelError)) throw error
      // An answer of another form was paid for too.
      const tokens = reply?.tokens ?? { input: 0, output: 0, cached: 0 }
      const usd = await record({
        ...base,
        tokens,
        latencyMs: performance.now() - began,
        outcome: error.code,
        retryAfterMs: error.retryAfterMs,
      })
      costUsd += usd
      spent = { usd, tokens: tokens.input + tokens.output, calls: 1 }
      throw error
    } finally {
      over()
      await settle(spent)
    }
  }

  /** What is kept of an earlier call, read as an answer of this one; it costs nothing and is recorded all the same. */
  async function answerAgain<T>(
    { key, reach, mayAnswer }: CacheEntry,
    read: (reply: ModelReply) => T,
    base: Pick<RecordedCall, 'model' | 'name' | 'runId' | 'taskId' | 'agentId' | 'quality' | 'reason'>,
  ): Promise<{ kept?: { value: T; reply: ModelReply }; missed: CacheLevel[] }> {
    const began = performance.now()
    const look = mayAnswer ? await services.responses?.find(actor, key, reach) : undefined
    if (!look?.found) return { missed: look?.missed ?? [] }
    const { level, response } = look.found
    const tokens = { input: 0, output: 0, cached: 0 }
    const ms = performance.now() - began
    const model = base.model?.name ?? base.name
    const reply = { text: response.text, calls: [], said: [], isWhole: true, model, tokens, ms }
    let value: T
    try {
      value = read(reply)
    } catch (error) {
      if (!(error instanceof ModelError)) throw error
      // An earlier release may have read it otherwise.
      return { missed: [...look.missed, level] }
    }
    const cache = { level, missed: look.missed, saved: response }
    await record({ ...base, tokens, latencyMs: ms, outcome: 'ok', retryAfterMs: undefined, cache })
    return { kept: { value, reply }, missed: look.missed }
  }

  async function keep(entry: CacheEntry, reply: ModelReply, usd: number): Promise<void> {
    const reach = reachOf(entry, reply, secrets.cut)
    if (reach === 'off') return
    await services.responses?.keep(
      actor,
      { ...entry, agentId: task.agentId, reach },
      {
        text: reply.text,
        inputTokens: reply.tokens.input,
        outputTokens: reply.tokens.output,
        costUsd: usd.toFixed(12),
      },
    )
  }

  async function exchange<T>(
    request: ModelRequest,
    read: (reply: ModelReply) => T,
  ): Promise<{ value: T; reply: ModelReply }> {
    const estimate = estimateOf(request)
    const plan = await planCalls(call, configured, taskType, estimate)
    const after: { model: string; outcome: string }[] = []
    const out = new Set<string>()
    let failure: ModelError | undefined
    let noRoom: NoRoom | undefined
    // A conversation goes on with whom it began: what a provider wants back of its own is nothing to another.
    const turns = request.rounds?.length && last ? [last, ...plan.turns.filter(isNot(last))] : [...plan.turns]
    for (const [position, turn] of turns.entries()) {
      const { name, model } = turn
      if (model && out.has(model.provider)) continue
      const id = model?.id ?? name
      const server = await serverOf(turn)
      if (!server) {
        failure ??= new ModelError('MODEL_NO_SERVER', `there is no server for the model "${id}"`)
        after.push({ model: id, outcome: 'MODEL_NO_SERVER' })
        continue
      }
      const reason = { ...plan.reason, position, after: [...after] }
      try {
        const answer = await callOne(turn, server, { request, read, reason, estimate, reach: plan.reach })
        last = turn
        return answer
      } catch (error) {
        if (error instanceof NoRoom) {
          if (actionOf(error.budgets) !== 'cheaper_model') return endForBudgets(call, error.budgets)
          noRoom = error
          after.push({ model: id, outcome: 'BUDGET_EXCEEDED' })
          const left = turns.splice(position + 1)
          turns.push(...cheaperOf(left, turn, estimate))
          continue
        }
        if (!(error instanceof ModelError) || !FALL_BACK.has(error.code)) throw error
        failure = error
        after.push({ model: id, outcome: error.code })
        if (error.code === 'MODEL_RATE_LIMITED' && plan.rateLimitScope === 'provider' && model)
          out.add(model.provider)
      }
    }
    if (noRoom && !failure) return endForBudgets(call, noRoom.budgets)
    throw failure ?? new ModelError('MODEL_NONE_USABLE', 'no model may be asked')
  }

  /** The work is done, whether or not this can be written. */
  async function record(spent: RecordedCall): Promise<number> {
    try {
      return Number((await recordModelCall(services, actor, spent)).costUsd)
    } catch (error) {
      services.log.warn({ err: error }, 'a call of a model was not recorded')
      return 0
    }
  }

  const { models } = await knownRegistry(services, actor, TRUST_MS)
  const turns = turnsOf(configured, [...models.values()])
  const found = await Promise.all(turns.map(serverOf))
  if (found.every((server) => server === undefined)) return undefined
  return {
    exchange,
    costUsd: () => costUsd,
    async ask(question) {
      const { value, reply } = await exchange(requestOf(question), (said) =>
        readBySchema(said, question.schema),
      )
      return answerOf(reply, value)
    },
  }
}

type RecordedCall = Parameters<typeof recordModelCall>[2]

/** What is to be called, and why. */
interface Exchange<T> {
  request: ModelRequest
  read: (reply: ModelReply) => T
  reason: Readonly<Record<string, unknown>>
  /** How far the organization lets answers be kept. */
  reach: CacheReach
  estimate: TokenEstimate
}

/** Of one that the registry does not know: what stands before it says whose it is, as `anthropic/claude-next`. */
const providerIn = (name: string): string =>
  name.includes('/') ? name.slice(0, name.indexOf('/')) : 'openai'

const isNot =
  (one: Turn) =>
  ({ name }: Turn): boolean =>
    name !== one.name

/** What its server calls a model; `meta/llama` is all of a name where `meta` has no server of its own. */
function nameAt({ name, model }: Turn, { provider }: ModelServer): string {
  if (model) return model.name
  return name.startsWith(`${provider}/`) ? name.slice(provider.length + 1) : name
}

function estimateOf({ instructions, data, rounds, tools, maxOutputTokens }: ModelRequest): TokenEstimate {
  const text = instructions + JSON.stringify([data, rounds, tools])
  return {
    input: Math.ceil(text.length / LETTERS_A_TOKEN),
    output: maxOutputTokens ?? MOST_OUTPUT_TOKENS,
    // A token is at least a byte.
    inputAtMost: Buffer.byteLength(text),
  }
}

/** Those that are expected to cost less than this one, cheapest first. */
function cheaperOf(turns: readonly Turn[], than: Turn, { input, output }: TokenEstimate): Turn[] {
  const usd = ({ model }: Turn): number => Number(estimatedUsd(model, input, output))
  return turns.filter((turn) => usd(turn) < usd(than)).sort((left, right) => usd(left) - usd(right))
}

const turnsOf = (configured: readonly string[], models: readonly Model[]): Turn[] =>
  configured.map((name) => ({
    name,
    model: models.find((each) => each.id === name || each.name === name) ?? null,
  }))

async function planCalls(
  { services, actor }: Pick<TaskCall, 'services' | 'actor'>,
  configured: readonly string[],
  taskType: string,
  estimate: TokenEstimate,
): Promise<Plan> {
  const wish = {
    taskType,
    inputTokens: estimate.input,
    outputTokens: estimate.output,
    models: [...configured],
  }
  const { routing, settings, models } = await chooseModel(services, actor, wish, { trustMs: TRUST_MS })
  const { rateLimitScope, responseCache: reach } = settings
  const all = [...models.values()]
  if (!settings.enabled || all.filter(({ status }) => status === 'active').length < 2) {
    const allowed = turnsOf(configured, all).filter(({ model }) => model?.status !== 'disabled')
    return { turns: allowed, reason: { by: 'configuration', chain: configured }, rateLimitScope, reach }
  }
  // Those that nobody took into use are no news.
  const excluded = routing.excluded.filter(({ reasons }) =>
    reasons.every(({ code }) => code !== 'not_in_use'),
  )
  if (routing.chosen === null) {
    const soonest = Math.min(
      ...excluded.map(({ reasons }) => Math.max(...reasons.map(({ until }) => until ?? Infinity))),
    )
    if (!Number.isFinite(soonest)) throw new ModelError('MODEL_NONE_USABLE', 'all models are excluded')
    throw new ModelError('MODEL_RATE_LIMITED', 'all models are out of use for a while', {
      retryAfterMs: Math.max(0, soonest - Date.now()),
    })
  }
  const turns = routing.chain.map((id) => {
    const model = models.get(id) ?? null
    return { name: model?.name ?? id, model }
  })
  const { chosen, confidence, ranking, chain } = routing
  return {
    turns,
    reason: { by: 'router', chosen, confidence, chain, ranking, excluded },
    rateLimitScope,
    reach,
  }
}
