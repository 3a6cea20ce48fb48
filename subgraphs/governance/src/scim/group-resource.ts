import { isId } from '@tutti/runtime'
import { z } from 'zod'
import { line } from '../input/text.ts'
import { GROUP_ATTRIBUTES, isRecord, keptResource, type Resource } from './attributes.ts'
import { ScimError } from './scim-error.ts'
import { problemsOf, versionOf } from './user-resource.ts'

export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const MOST_MEMBERS = 10_000

/** A group that a directory keeps. */
export interface DirectoryGroupRow {
  id: string
  name: string
  externalId: string | null
  createdAt: Date
  changedAt: Date
  members: { value: string; display: string }[]
}

/** {@link DirectoryGroupRow} of `access_group g`. */
export const GROUP_RESOURCE_COLUMNS = `g.id, g.name, g.external_id as "externalId", g.created_at as "createdAt",
  coalesce(g.directory_at, g.created_at) as "changedAt",
  (select coalesce(jsonb_agg(jsonb_build_object('value', p.id, 'display', p.name) order by p.id), '[]')
   from principal p where p.organization_id = g.organization_id and g.name = any(p.groups)) as members`

const groupSchema = z.object({
  displayName: line(160),
  externalId: z
    .string()
    .max(255, 'At most 255 characters.')
    .refine((value) => !value.includes('\0'), 'It holds a NUL character.')
    .nullish()
    .transform((value) => (value === '' ? null : (value ?? null))),
  members: z
    .array(z.object({ value: z.string().refine(isId, 'There is no such user.').toLowerCase() }))
    .max(MOST_MEMBERS, `At most ${MOST_MEMBERS} members.`)
    .nullish()
    .transform((members) => [...new Set((members ?? []).map(({ value }) => value))]),
})

/** A group as a directory wants it. */
export type WantedGroup = z.output<typeof groupSchema>

/** A group of a request's body. ScimError invalidValue with all that is wrong. */
export function readGroup(body: unknown): WantedGroup {
  if (!isRecord(body)) throw new ScimError(400, 'The body is a JSON object.', 'invalidSyntax')
  const parsed = groupSchema.safeParse(keptResource(GROUP_ATTRIBUTES, body))
  if (parsed.success) return parsed.data
  throw new ScimError(400, problemsOf(parsed.error), 'invalidValue')
}

/** What a client may change of a group, as it would send it. */
export const editableGroup = ({ name, externalId, members }: DirectoryGroupRow): Resource => ({
  displayName: name,
  ...(externalId === null ? {} : { externalId }),
  members: members.map(({ value }) => ({ value })),
})

/** The resource with its version, as SCIM shows it. */
export function presentGroup(group: DirectoryGroupRow, base: string): Resource & { id: string } {
  const { id, members, createdAt, changedAt } = group
  const resource = { schemas: [GROUP_SCHEMA], id, ...editableGroup(group) }
  return {
    ...resource,
    members: members.map((member) => ({ ...member, $ref: `${base}/Users/${member.value}`, type: 'User' })),
    meta: {
      resourceType: 'Group',
      created: createdAt.toISOString(),
      lastModified: changedAt.toISOString(),
      location: `${base}/Groups/${id}`,
      version: versionOf(resource),
    },
  }
}
