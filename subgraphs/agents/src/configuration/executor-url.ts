const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** What is wrong with the URL of an HTTP executor; undefined when nothing is. Plain http is for one's own machine only. */
export function executorUrlProblem(url: string, production: boolean): string | undefined {
  if (!URL.canParse(url)) return 'It must be a URL, as https://agents.example.com/classify.'
  const { protocol, hostname, username, password } = new URL(url)
  if (username || password) return 'It must not hold a user or a password.'
  if (protocol === 'https:') return undefined
  if (protocol === 'http:' && LOOPBACK.test(hostname) && !production) return undefined
  return 'It must begin with https:// (http:// only for this machine itself, in development).'
}
