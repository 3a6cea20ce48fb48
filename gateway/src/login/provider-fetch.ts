import { lookup as lookupAddress } from 'node:dns'
import { isPublicAddress, NOT_PUBLIC, refuseAddress } from '@tutti/runtime'
import { Agent, fetch } from 'undici'

const MOST_BYTES = 1024 * 1024

/** `fetch` to identity providers, whose addresses organizations choose. */
export interface ProviderFetch extends AsyncDisposable {
  fetch(
    url: string,
    init: {
      method: string
      headers: Record<string, string>
      body?: unknown
      signal?: AbortSignal | undefined
    },
  ): Promise<Response>
}

/**
 * Opens it: https to public addresses alone unless `allowLocal`, checked before and while connecting; redirects are not
 * followed, and an answer has at most 1 MiB.
 */
export function openProviderFetch(allowLocal: boolean): ProviderFetch {
  const dispatcher = new Agent({
    connect: {
      timeout: 5_000,
      lookup(hostname, options, done) {
        lookupAddress(hostname, { ...options, all: true }, (error, addresses) => {
          const [first] = addresses ?? []
          if (error || !first) return done(error ?? new Error(`${hostname} has no address`), '', 4)
          if (!allowLocal && !addresses.every(({ address }) => isPublicAddress(address)))
            return done(new Error(NOT_PUBLIC), '', 4)
          return options.all ? done(null, addresses) : done(null, first.address, first.family)
        })
      },
    },
  })
  return {
    async fetch(url, { method, headers, body, signal }) {
      const refusal = refuseAddress(url, allowLocal)
      if (refusal) throw new Error(refusal)
      const answer = await fetch(url, {
        method,
        headers,
        redirect: 'manual',
        dispatcher,
        ...(body === undefined || body === null ? {} : { body: String(body) }),
        ...(signal === undefined ? {} : { signal }),
      })
      const parts: Uint8Array[] = []
      let bytes = 0
      for await (const part of answer.body ?? []) {
        if (!(part instanceof Uint8Array)) throw new Error('An answer that is not of bytes')
        bytes += part.byteLength
        if (bytes > MOST_BYTES) throw new Error('The provider answered more than 1 MiB.')
        parts.push(part)
      }
      const none = [204, 205, 304].includes(answer.status)
      return new Response(none ? null : Buffer.concat(parts), {
        status: answer.status,
        headers: [...answer.headers],
      })
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  }
}
