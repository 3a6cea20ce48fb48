import { breakerOfProvider, breakersOf, type BreakerSubject, knownRegistry } from '@tutti/agents/domain'
import { ModelError, type ModelErrorCode } from '../builtins/model/index.ts'
import { workerActor, type WorkerServices } from '../worker-services.ts'

/** Failures of a call that say that the provider itself is broken. */
const BROKEN: ReadonlySet<ModelErrorCode> = new Set([
  'MODEL_UNAVAILABLE',
  'MODEL_UNREACHABLE',
  'MODEL_TIMEOUT',
])

/** What an organization says of its providers' breakers is felt this soon. */
const TRUST_MS = 1_000

/** Makes one call of a provider's model, and tells its breaker how that went. */
export type Passage = <T>(call: () => Promise<T>) => Promise<T>

/**
 * Asks the breaker of a provider of models before a call. Rejects with MODEL_UNAVAILABLE while it is open: whoever has
 * another model asks that.
 */
export async function enterProvider(
  { database, log }: Pick<WorkerServices, 'database' | 'log'>,
  organizationId: string,
  provider: string,
): Promise<Passage> {
  const breakers = breakersOf(database)
  const said = (await knownRegistry({ database }, workerActor(organizationId), TRUST_MS)).breakers
  const subject: BreakerSubject = {
    organizationId,
    scope: 'provider',
    subject: provider,
    name: provider,
    settings: breakerOfProvider(said, provider),
  }
  const { answer, retryAfterMs } = await breakers.ask(subject)
  if (answer === 'wait')
    throw new ModelError(
      'MODEL_UNAVAILABLE',
      `the provider "${provider}" failed too often and is not called at the moment`,
      {
        retryAfterMs,
      },
    )
  const isTrial = answer === 'trial'
  const tell = async (telling: Promise<void>): Promise<void> =>
    telling.catch((error: unknown) =>
      log.warn({ err: error, provider }, 'a breaker could not be told how a call went'),
    )
  return async (call) => {
    try {
      const result = await call()
      await tell(breakers.worked(subject, isTrial))
      return result
    } catch (error) {
      if (error instanceof ModelError && BROKEN.has(error.code))
        await tell(breakers.failed(subject, { code: error.code, message: error.message }, isTrial))
      else if (error instanceof ModelError) await tell(breakers.worked(subject, isTrial))
      throw error
    }
  }
}
