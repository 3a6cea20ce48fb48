/** A cookie of ours: no script reads it, and no other site's form or script sends it. */
export interface CookieSettings {
  path: string
  /** Seconds; 0 takes it away. */
  maxAge: number
  /** Whether it goes over https alone. */
  secure: boolean
}

/**
 * The name that a cookie of ours has: over https one that a browser takes from this host alone, with the path `/` (RFC 6265bis,
 * `__Host-`), so that no sibling host plants or hides it.
 */
export const nameOf = (name: string, secure: boolean): string => (secure ? `__Host-${name}` : name)

/** The value of the header Set-Cookie. `value` is of base64url and dots. */
export const cookieOf = (name: string, value: string, { path, maxAge, secure }: CookieSettings): string =>
  `${name}=${value}; Path=${path}; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

/** The cookie of a name in the header Cookie; undefined when there is none, or there are several. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  const values = (header ?? '').split(';').flatMap((part) => {
    const [key, ...value] = part.trim().split('=')
    return key === name ? [value.join('=')] : []
  })
  return values.length === 1 ? values[0] : undefined
}
