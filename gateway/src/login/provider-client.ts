import * as oidc from 'openid-client'
import type { LoginProvider } from './ask-login.ts'
import type { LoginState } from './login-state.ts'
import { openProviderFetch } from './provider-fetch.ts'

/** Speaks with identity providers. */
export interface ProviderClient extends AsyncDisposable {
  /** Where a browser goes to log in. Throws when the provider does not answer as one. */
  authorizationUrl(
    provider: LoginProvider,
    login: Pick<LoginState, 'state' | 'nonce' | 'verifier' | 'redirectUri'>,
  ): Promise<string>
  /** The claims of whoever came back with `query`; throws when anything about it is wrong. */
  claims(provider: LoginProvider, login: LoginState, query: string): Promise<Record<string, unknown>>
}

/** How long what a provider says of itself is believed, in milliseconds. */
const CONFIGURATION_MS = 600_000
const MOST_CONFIGURATIONS = 1_000
const TIMEOUT_SECONDS = 5

/** Opens it; `allowLocal`: also providers on this machine, without TLS. */
export function openProviderClient(allowLocal: boolean): ProviderClient {
  const egress = openProviderFetch(allowLocal)
  const known = new Map<string, { until: number; configuration: Promise<oidc.Configuration> }>()

  const configurationOf = (provider: LoginProvider): Promise<oidc.Configuration> => {
    const key = JSON.stringify(provider)
    const found = known.get(key)
    if (found && found.until > Date.now()) return found.configuration
    const configuration = oidc.discovery(
      new URL(provider.issuer),
      provider.clientId,
      undefined,
      oidc.ClientSecretBasic(provider.clientSecret),
      {
        [oidc.customFetch]: (url, init) => egress.fetch(url, init),
        timeout: TIMEOUT_SECONDS,
        ...(allowLocal ? { execute: [oidc.allowInsecureRequests] } : {}),
      },
    )
    known.delete(key)
    known.set(key, { until: Date.now() + CONFIGURATION_MS, configuration })
    configuration.catch(() => known.delete(key))
    for (const oldest of known.keys()) {
      if (known.size <= MOST_CONFIGURATIONS) break
      known.delete(oldest)
    }
    return configuration
  }

  return {
    async authorizationUrl(provider, { state, nonce, verifier, redirectUri }) {
      const url = oidc.buildAuthorizationUrl(await configurationOf(provider), {
        redirect_uri: redirectUri,
        scope: 'openid profile email',
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
      if (url.protocol !== 'https:' && !allowLocal)
        throw new Error('The provider has people log in without TLS.')
      return url.href
    },
    async claims(provider, { state, nonce, verifier, redirectUri }, query) {
      const configuration = await configurationOf(provider)
      const tokens = await oidc.authorizationCodeGrant(configuration, new URL(`${redirectUri}?${query}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (claims === undefined) throw new Error('The provider gave no identity token.')
      const more =
        configuration.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)
      return { ...more, ...claims }
    },
    [Symbol.asyncDispose]: () => egress[Symbol.asyncDispose](),
  }
}
