import { expect, test } from 'vitest'
import { RESOLVE_WITHIN_HOURS, severityOf } from './severity.ts'

test.each([
  ['enterprise', false, 'SEV_1', 1],
  ['enterprise', true, 'SEV_2', 4],
  ['domain', false, 'SEV_2', 4],
  ['domain', true, 'SEV_3', 24],
  ['team', false, 'SEV_3', 24],
  ['team', true, 'SEV_4', 168],
  ['individual', false, 'SEV_4', 168],
  ['individual', true, 'SEV_4', 168],
] as const)('%s, workaround %s: %s, to be resolved within %i h', (impact, workaround, severity, hours) => {
  expect(severityOf(impact, workaround)).toBe(severity)
  expect(RESOLVE_WITHIN_HOURS[severity]).toBe(hours)
})
