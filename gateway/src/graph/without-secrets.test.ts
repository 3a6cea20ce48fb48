import { expect, test } from 'vitest'
import { withoutSecrets } from './without-secrets.ts'

test('what was given as a secret is not repeated, however deep and whatever its characters', () => {
  const variables = {
    input: { name: 'crm', value: 'hush "1"', list: [{ signingSecret: { deep: ['hush2'] } }] },
    token: 'hush3',
  }
  const message = 'got { name: "crm", value: "hush \\"1\\"", x: ["hush2"] }, hush3; "crm" is wrong'
  expect(withoutSecrets(message, variables)).toBe(
    'got { name: "crm", value: "[redacted]", x: ["[redacted]"] }, [redacted]; "crm" is wrong',
  )
})

test('other variables are, so that the mistake is found', () => {
  expect(withoutSecrets('got "FOO"', { kind: 'FOO', value: '' })).toBe('got "FOO"')
})
