import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

/** Who logs in there next, as the provider's own page would ask. */
export interface Somebody {
  sub: string
  name: string
  groups: string[]
}

/** A real OpenID provider on the loopback; whoever comes by a registered address is logged in as {@link Somebody} at once. */
export interface IdentityProvider extends AsyncDisposable {
  issuer: string
  clientId: string
  clientSecret: string
  next: Somebody
  /** Whether it says that it has verified their addresses. */
  verifies: boolean
  /** Whether it says in its answers whose they are (RFC 9207), as it may and many do not. */
  saysIssuer: boolean
  /** Lets it send people back to a path of the gateway's. */
  register(redirectPath: string): void
}

/** Starts one that sends people back to the gateway at `url`, where {@link IdentityProvider.register} says. */
export async function startIdentityProvider(url: string, next: Somebody): Promise<IdentityProvider> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const people = new Map<string, Somebody>()
  const client = {
    clientId: 'tutti',
    clientSecret: 'a secret of the client, and-long'.replaceAll(/[ ,]/g, '-'),
  }
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [`${url}/`],
      },
    ],
    claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email', 'email_verified'] },
    cookies: { keys: ['a key of the tests'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: async () => ({
        ...(people.get(sub) ?? { sub }),
        email: `${sub}@example.com`,
        ...(self.verifies ? { email_verified: true } : {}),
      }),
    }),
  })
  const redirectUris = new Set<string>()
  provider.Client.prototype.redirectUriAllowed = (uri: string) => redirectUris.has(uri)
  provider.use(async ({ response }, next) => {
    await next()
    if (self.saysIssuer) return
    const location = response.get('location')
    if (location) {
      const to = new URL(location, issuer)
      to.searchParams.delete('iss')
      response.set('location', to.href)
    }
    const { body } = response
    if (typeof body === 'object' && body !== null)
      Reflect.deleteProperty(body, 'authorization_response_iss_parameter_supported')
  })
  const self: IdentityProvider = {
    issuer,
    ...client,
    next,
    verifies: false,
    saysIssuer: true,
    register: (redirectPath) => void redirectUris.add(`${url}${redirectPath}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return void answer(request, response)
    void interact(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })

  /** Logs somebody in, and consents for them to whatever is asked. */
  async function interact(...[request, response]: Parameters<typeof answer>): Promise<void> {
    const { prompt, params, session } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login') {
      people.set(self.next.sub, self.next)
      const login = { login: { accountId: self.next.sub } }
      return provider.interactionFinished(request, response, login, { mergeWithLastSubmission: false })
    }
    const grant = new provider.Grant({ accountId: session?.accountId, clientId: String(params['client_id']) })
    grant.addOIDCScope(String(params['scope']))
    const consent = { consent: { grantId: await grant.save() } }
    return provider.interactionFinished(request, response, consent, { mergeWithLastSubmission: true })
  }
  return self
}
