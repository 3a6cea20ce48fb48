import type { ModelProtocol, ModelSettings } from '../builtins/model/index.ts'
import type { TaskCall } from '../executors/executor.ts'
import { refuseAddress } from '../executors/refuse-address.ts'
import type { ModelEnvironment } from '../worker-services.ts'
import { CredentialProblem } from './attempt-secrets.ts'

/** A server of models and the way to it. */
export interface ModelServer extends Omit<ModelSettings, 'model' | 'timeoutMs'> {
  /** Whose it is; not the model's own where that has none. */
  provider: string
}

interface Provider {
  protocol: ModelProtocol
  /** What follows an origin. */
  path: string
  /** Where it is by itself. */
  home: string | undefined
  url: keyof ModelEnvironment | undefined
  key: keyof ModelEnvironment | undefined
}

const OPENAI: Provider = {
  protocol: 'openai-compatible',
  path: '/v1',
  home: 'https://api.openai.com/v1',
  url: 'OPENAI_BASE_URL',
  key: 'OPENAI_API_KEY',
}
/** Those whose protocol and address are known. */
const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  Object.entries({
    openai: OPENAI,
    anthropic: {
      protocol: 'anthropic',
      path: '/v1',
      home: 'https://api.anthropic.com/v1',
      url: 'ANTHROPIC_BASE_URL',
      key: 'ANTHROPIC_API_KEY',
    },
    google: {
      protocol: 'google',
      path: '/v1beta',
      home: 'https://generativelanguage.googleapis.com/v1beta',
      url: 'GOOGLE_BASE_URL',
      key: 'GOOGLE_API_KEY',
    },
  } satisfies Record<string, Provider>),
)

/** One of the organization's own, which speaks OpenAI's chat completions at the origin that its credential names. */
const OWN: Provider = { ...OPENAI, home: undefined, url: undefined, key: undefined }

type Call = Pick<TaskCall, 'secrets' | 'egress'> & { services: Pick<TaskCall['services'], 'models'> }

/**
 * Where a provider's models are asked. The organization's own key goes before the environment's: to the environment's
 * server when there is one, else to the one origin of the credential, else to the provider's own address. Models of a
 * provider that has no server here are asked at the one of `openai`, which may speak for many. Undefined when there is
 * none at all. Rejects with CredentialProblem.
 */
export async function modelServerOf(call: Call, provider: string): Promise<ModelServer | undefined> {
  return (
    (await ownServer(call, provider, PROVIDERS.get(provider) ?? OWN)) ??
    (provider === 'openai' ? undefined : await ownServer(call, 'openai', { ...OPENAI, home: undefined }))
  )
}

async function ownServer(
  { services: { models }, secrets, egress }: Call,
  name: string,
  { protocol, path, home, url, key }: Provider,
): Promise<ModelServer | undefined> {
  const given = url && models[url]
  const own = await secrets.ofProvider(name, (origins) => {
    const [origin, ...more] = origins
    return given ?? (origin !== undefined && more.length === 0 ? `${origin}${path}` : home)
  })
  if (own) {
    const server = { provider: name, protocol, baseURL: own.url, apiKey: own.value }
    // Where the environment points is the operator's word; where a tenant points, nobody's.
    return given ? server : { ...server, fetch: outside(egress, own.url) }
  }
  const apiKey = key && models[key]
  if (!given || !apiKey) return undefined
  secrets.conceal(apiKey)
  return { provider: name, protocol, baseURL: given, apiKey }
}

/** The way to a server outside; it leads to public addresses alone, and nowhere else than there. */
function outside({ allowLocal, dispatcher }: Call['egress'], url: string): typeof globalThis.fetch {
  const refusal = refuseAddress(url, allowLocal)
  if (refusal) throw new CredentialProblem('CREDENTIAL_REFUSED', refusal)
  return async (input, init) => {
    const options: RequestInit & { dispatcher: typeof dispatcher } = {
      ...init,
      redirect: 'error',
      dispatcher,
    }
    return fetch(input, options)
  }
}
