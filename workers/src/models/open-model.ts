import { chooseModel, measurementsOf, type Model, recordModelCall } from '@tutti/agents/domain'
import { type AskModel, askModel, ModelError, type ModelErrorCode } from '../builtins/model/index.ts'
import { modelSettingsOf } from '../credentials/model-settings-of.ts'
import type { TaskCall } from '../executors/executor.ts'

/** The failures after which another model is asked; others would come from any. */
const FALL_BACK: ReadonlySet<ModelErrorCode> = new Set([
  'MODEL_RATE_LIMITED',
  'MODEL_QUOTA_EXHAUSTED',
  'MODEL_UNAVAILABLE',
  'MODEL_TIMEOUT',
])
/** A token is some four letters of English; fewer of most else. */
const LETTERS_A_TOKEN = 3
const MOST_OUTPUT = 1_500
/** A model that was set, and other settings, are felt this soon. */
const TRUST_MS = 1_000

/** Whom a task puts its questions to. */
export interface OpenModel {
  ask: AskModel
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
}

/**
 * The models that a task may ask: by the router when the organization has taken more than one into use, else those of the
 * agent's configuration, in their order. After 429, 5xx and timeouts the next one is asked; every call is recorded with
 * its reason. Undefined when the agent names no model or there is no server. Rejects with CredentialProblem.
 */
export async function openModel(
  call: Pick<TaskCall, 'services' | 'task' | 'agent' | 'actor' | 'secrets'>,
  taskType: string,
): Promise<OpenModel | undefined> {
  const { services, task, agent, actor } = call
  const settings = await modelSettingsOf(call)
  if (!settings || !agent.models) return undefined
  const configured = [agent.models.primary, ...(agent.models.fallback ? [agent.models.fallback] : [])]
  let costUsd = 0

  const ask: AskModel = async (question) => {
    const letters = question.instructions.length + JSON.stringify(question.data).length
    const estimate = {
      input: Math.ceil(letters / LETTERS_A_TOKEN),
      output: question.maxOutputTokens ?? MOST_OUTPUT,
    }
    const plan = await planCalls(call, configured, taskType, estimate)
    const after: { model: string; outcome: string }[] = []
    const out = new Set<string>()
    let failure: ModelError | undefined
    for (const [position, { name, model }] of plan.turns.entries()) {
      if (model && out.has(model.provider)) continue
      const id = model?.id ?? name
      const base = { model, name, runId: task.runId, taskId: task.id, agentId: task.agentId, quality: null }
      const reason = { ...plan.reason, position, after: [...after] }
      const tokens = estimate.input + estimate.output
      const over = measurementsOf(services.database).starting(actor.organizationId, id, tokens)
      const began = performance.now()
      try {
        const answer = await askModel({ ...settings, model: name }, question)
        const { input, output } = answer.tokens
        const spent = await record({
          ...base,
          reason,
          tokens: { input, output, cached: answer.cachedTokens },
          latencyMs: answer.ms,
          outcome: 'ok',
          retryAfterMs: undefined,
        })
        costUsd += spent
        return answer
      } catch (error) {
        if (!(error instanceof ModelError)) throw error
        failure = error
        await record({
          ...base,
          reason,
          tokens: { input: 0, output: 0, cached: 0 },
          latencyMs: performance.now() - began,
          outcome: error.code,
          retryAfterMs: error.retryAfterMs,
        })
        if (!FALL_BACK.has(error.code)) throw error
        after.push({ model: id, outcome: error.code })
        if (error.code === 'MODEL_RATE_LIMITED' && plan.rateLimitScope === 'provider' && model)
          out.add(model.provider)
      } finally {
        over()
      }
    }
    throw failure ?? new ModelError('MODEL_NONE_USABLE', 'no model may be asked')
  }

  /** The work is done, whether or not this can be written. */
  async function record(spent: Parameters<typeof recordModelCall>[2]): Promise<number> {
    try {
      return Number((await recordModelCall(services, actor, spent)).costUsd)
    } catch (error) {
      services.log.warn({ err: error }, 'a call of a model was not recorded')
      return 0
    }
  }

  return { ask, costUsd: () => costUsd }
}

async function planCalls(
  { services, actor }: Pick<TaskCall, 'services' | 'actor'>,
  configured: readonly string[],
  taskType: string,
  estimate: { input: number; output: number },
): Promise<Plan> {
  const wish = {
    taskType,
    inputTokens: estimate.input,
    outputTokens: estimate.output,
    models: [...configured],
  }
  const { routing, settings, models } = await chooseModel(services, actor, wish, { trustMs: TRUST_MS })
  const { rateLimitScope } = settings
  const all = [...models.values()]
  if (!settings.enabled || all.filter(({ status }) => status === 'active').length < 2) {
    const turns = configured.map((name) => ({
      name,
      model: all.find((each) => each.id === name || each.name === name) ?? null,
    }))
    const allowed = turns.filter(({ model }) => model?.status !== 'disabled')
    return { turns: allowed, reason: { by: 'configuration', chain: configured }, rateLimitScope }
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
  return { turns, reason: { by: 'router', chosen, confidence, chain, ranking, excluded }, rateLimitScope }
}
