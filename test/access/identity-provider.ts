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

/** A real OpenID provider on the loopback; whoever comes is logged in as {@link Somebody} at once. */
export interface IdentityProvider extends AsyncDisposable {
  issuer: string
  clientId: string
  clientSecret: string
  next: Somebody
  /** Whether it says that it has verified their addresses. */
  verifies: boolean
}

/** Starts one that sends people back to the gateway at `url`. */
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
        redirect_uris: [`${url}/auth/callback`],
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
  const self: IdentityProvider = {
    issuer,
    ...client,
    next,
    verifies: false,
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
