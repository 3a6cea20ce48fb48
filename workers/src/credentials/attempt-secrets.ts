import { MasterKeyMissing, SealBroken } from '@tutti/runtime'
import type { AgentExecutor, RevealedCredential } from '@tutti/agents/domain'
import type { Credentials } from './open-credentials.ts'
import type { Redactor } from './redactor.ts'

type Code = 'CREDENTIAL_NOT_FOUND' | 'CREDENTIAL_REFUSED' | 'CREDENTIAL_UNREADABLE'

/** An attempt cannot have the credential it needs; no other attempt would. */
export class CredentialProblem extends Error {
  readonly code: Code

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CredentialProblem'
    this.code = code
  }
}

/** The credentials that one attempt uses; what it got is cut out of everything that it says afterwards. */
export interface AttemptSecrets {
  /** The value of a credential that the agent's configuration names, to be sent to this URL. Rejects with CredentialProblem. */
  ofAgent(name: string, url: string): Promise<string>
  /**
   * The organization's credential `provider/<name>`, with the URL that `where` makes of its origins, to which it is to be
   * sent; undefined when there is none of either. Rejects with CredentialProblem.
   */
  ofProvider(
    provider: string,
    where: (origins: readonly string[]) => string | undefined,
  ): Promise<{ value: string; url: string } | undefined>
  /** A secret from elsewhere, cut out as well. */
  conceal(value: string): void
  /** A text without them. */
  cut(text: string): string
}

/** Those of one agent's attempt. */
export function attemptSecrets(
  credentials: Credentials,
  redactor: Redactor,
  organizationId: string,
  agent: Pick<AgentExecutor, 'id' | 'name'>,
): AttemptSecrets {
  async function read(name: string): Promise<RevealedCredential | undefined> {
    try {
      return await credentials.read(organizationId, name)
    } catch (error) {
      if (!(error instanceof SealBroken || error instanceof MasterKeyMissing)) throw error
      throw new CredentialProblem('CREDENTIAL_UNREADABLE', `The credential "${name}" cannot be opened.`, {
        cause: error,
      })
    }
  }

  /** Beside its value nothing of it is used any more. */
  function use(name: string, { value, origins }: RevealedCredential, url: string): string {
    if (origins.length > 0 && !origins.includes(new URL(url).origin)) {
      throw new CredentialProblem(
        'CREDENTIAL_REFUSED',
        `The credential "${name}" may not be sent to ${new URL(url).origin}.`,
      )
    }
    redactor.conceal(value)
    return value
  }

  return {
    async ofAgent(name, url) {
      const credential = await read(name)
      if (!credential) {
        throw new CredentialProblem('CREDENTIAL_NOT_FOUND', `There is no credential "${name}".`)
      }
      if (credential.provider !== null || (credential.agentId ?? agent.id) !== agent.id) {
        const message = `The credential "${name}" is not agent "${agent.name}"'s.`
        throw new CredentialProblem('CREDENTIAL_REFUSED', message)
      }
      return use(name, credential, url)
    },
    async ofProvider(provider, where) {
      const name = `provider/${provider}`
      const credential = await read(name)
      // One of that name that was set for agents is none of the provider's.
      if (credential?.provider !== provider) return undefined
      const url = where(credential.origins)
      return url === undefined ? undefined : { value: use(name, credential, url), url }
    },
    conceal: (value) => redactor.conceal(value),
    cut: (text) => redactor.text(text),
  }
}
