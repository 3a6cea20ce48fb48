/** A browser's cookies and redirects, without the rest of it: cookies by address and path, over real HTTP. */
export interface Browser {
  /** Follows redirects as long as `while_` says so; unless given, all. */
  get(url: string, follow?: (location: URL) => boolean, headers?: Record<string, string>): Promise<Page>
  post(url: string, headers: Record<string, string>, body?: string): Promise<Page>
  /** The cookies it has for an address, by name. */
  cookies(url: string): Map<string, string>
  /** What the server said of a cookie when it set it last. */
  attributes(name: string): string
  /** The header Cookie for an address. */
  header(url: string): string
}

export interface Page {
  /** Where it is by now. */
  url: URL
  status: number
  headers: Headers
  text: string
}

/** A new one, with no cookies. */
export function openBrowser(): Browser {
  const jar = new Map<string, { origin: string; path: string; name: string; value: string }>()
  const said = new Map<string, string>()

  const cookies = (url: string): Map<string, string> => {
    const { origin, pathname } = new URL(url)
    return new Map(
      [...jar.values()]
        .filter((each) => each.origin === origin && pathname.startsWith(each.path))
        .map(({ name, value }) => [name, value]),
    )
  }
  const header = (url: string): string =>
    [...cookies(url)].map(([name, value]) => `${name}=${value}`).join('; ')

  async function send(url: URL, init: RequestInit): Promise<Page> {
    const headers = new Headers(init.headers)
    const held = header(url.href)
    if (held !== '') headers.set('cookie', held)
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
      const [name = '', ...value] = pair.split('=')
      const read = (wanted: string): string | undefined =>
        attributes.find((each) => each.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1)
      const path = read('path') ?? '/'
      const key = `${url.origin} ${path} ${name}`
      const expires = read('expires')
      const gone = read('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now())
      said.set(name, line)
      if (gone) jar.delete(key)
      else jar.set(key, { origin: url.origin, path, name, value: value.join('=') })
    }
    return { url, status: response.status, headers: response.headers, text: await response.text() }
  }

  return {
    async get(url, follow = () => true, headers = {}) {
      let page = await send(new URL(url), { headers })
      for (let hops = 0; hops < 20; hops += 1) {
        const location = page.headers.get('location')
        if (location === null || page.status < 300 || page.status > 399) return page
        const next = new URL(location, page.url)
        if (!follow(next)) return page
        page = await send(next, { headers })
      }
      throw new Error(`It goes round in circles: ${page.url.href}`)
    },
    post: (url, headers, body) => send(new URL(url), { method: 'POST', headers, ...(body ? { body } : {}) }),
    cookies,
    attributes: (name) => said.get(name) ?? '',
    header,
  }
}
