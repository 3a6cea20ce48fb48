import fc from 'fast-check'
import { expect, test } from 'vitest'
import { namesAuthority } from './approval-status.ts'
import { hasName, namesOf } from './names-of.ts'

const some = fc.subarray(['a', 'b', 'c:d', ''])
const authority = fc.record({
  id: fc.constantFrom('ada', 'ben'),
  roles: some,
  assigned: some,
  rolesGiven: fc.constant({}),
  groupsGiven: fc.constant({}),
  groups: some,
  teamIds: some,
})
const stage = fc.record({
  name: fc.constant('s'),
  needed: fc.constant(1),
  roles: some,
  groups: some,
  people: fc.subarray(['ada']),
  teamIds: some,
  deadlineSeconds: fc.constant(null),
  reminderSeconds: fc.constant(null),
  onDeadline: fc.constant('expire' as const),
})

test('who may decide has a name, and has it until it is taken from them', () => {
  fc.assert(
    fc.property(stage, authority, authority, (asked, then, now) => {
      const names = namesOf(asked, then)
      expect(names.length > 0).toBe(namesAuthority(asked, then))
      expect(names.every((name) => hasName(name, then))).toBe(true)
      // By what is kept here alone: whoever has one of the names would still be asked.
      const kept = names.filter((name) => name !== 'person' && !name.startsWith('login:'))
      const later = { ...now, id: then.id }
      if (kept.some((name) => hasName(name, later))) expect(namesAuthority(asked, later)).toBe(true)
    }),
  )
})
