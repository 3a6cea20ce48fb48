/** Keys that bear secrets. */
export const SECRET = /(value|secret|password|token)$/i

/**
 * A message about variables without what was given under keys that bear secrets (`value`, `signingSecret`, …): GraphQL's
 * own messages repeat a variable whole when one field of it is wrong.
 */
export function withoutSecrets(message: string, variables: Record<string, unknown>): string {
  return secretsIn(variables, false)
    .flatMap((secret) => [JSON.stringify(secret).slice(1, -1), secret])
    .reduce((left, secret) => left.replaceAll(secret, '[redacted]'), message)
}

function secretsIn(value: unknown, secret: boolean): string[] {
  if (typeof value === 'string') return secret && value !== '' ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => secretsIn(inner, secret || SECRET.test(key)))
}
