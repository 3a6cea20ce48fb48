import type { AgentExecutor } from '@tutti/agents/domain'
import { type ModelSettings, modelSettingsFrom } from '../builtins/model/index.ts'
import type { WorkerServices } from '../worker-services.ts'
import type { AttemptSecrets } from './attempt-secrets.ts'

const PROVIDER = 'openai'

/**
 * The language model that an agent names, with the organization's own key for its provider, else the environment's;
 * undefined without a model, a server or a key. Rejects with CredentialProblem.
 */
export async function modelSettingsOf({
  services: { models },
  agent,
  secrets,
}: {
  services: Pick<WorkerServices, 'models'>
  agent: Pick<AgentExecutor, 'models'>
  secrets: AttemptSecrets
}): Promise<ModelSettings | undefined> {
  if (!agent.models || !models.OPENAI_BASE_URL) return undefined
  const own = await secrets.ofProvider(PROVIDER, models.OPENAI_BASE_URL)
  const settings = modelSettingsFrom(own ? { ...models, OPENAI_API_KEY: own } : models, agent.models.primary)
  if (settings?.apiKey) secrets.conceal(settings.apiKey)
  return settings
}
