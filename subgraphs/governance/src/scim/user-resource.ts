import { createHash } from 'node:crypto'
import { z } from 'zod'
import { UNSTORABLE } from '../input/text.ts'
import { isRecord, keptResource, type Resource, USER_ATTRIBUTES } from './attributes.ts'
import { ScimError } from './scim-error.ts'

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User'

/** Somebody whom a directory keeps. */
export interface UserRow {
  id: string
  name: string
  email: string | null
  /** In small letters. */
  userName: string
  externalId: string | null
  profile: UserProfile | null
  active: boolean
  createdAt: Date
  changedAt: Date
  /** The directory's groups they are in. */
  groups: { value: string; display: string }[]
}

/** What a directory says of somebody besides; `userName` as it wrote it. */
export interface UserProfile {
  userName: string
  displayName?: string | undefined
  title?: string | undefined
  name?:
    | { formatted?: string | undefined; familyName?: string | undefined; givenName?: string | undefined }
    | undefined
  emails?: { value: string; type?: string | undefined; primary?: boolean | undefined }[] | undefined
}

/** {@link UserRow} of `principal p`. */
export const USER_COLUMNS = `p.id, p.name, p.email, p.user_name as "userName", p.external_id as "externalId", p.profile,
  p.deactivated_at is null as active, p.created_at as "createdAt", coalesce(p.directory_at, p.created_at) as "changedAt",
  (select coalesce(jsonb_agg(jsonb_build_object('value', g.id, 'display', g.name) order by g.name), '[]')
   from access_group g where g.organization_id = p.organization_id and g.directory_at is not null
     and g.name = any(p.groups)) as groups`

/**
 * Of `principal p`: people whom the directory keeps, and those who are active and logged in by a provider of the same people;
 * not whom it has deleted.
 */
export const IS_USER = `p.kind = 'person' and p.user_name is not null
  and (p.directory_at is not null or p.deactivated_at is null)`

const text = (most: number, least = 0) =>
  z
    .string()
    .trim()
    .min(least, `At least ${least} characters.`)
    .max(most, `At most ${most} characters.`)
    .refine((value) => !value.includes('\0'), UNSTORABLE)
    .transform((value) => value.toWellFormed())
const some = (most: number) =>
  text(most)
    .nullish()
    .transform((value) => (value === null || value === '' ? undefined : value))
/** Some directories send it as text. */
const truth = z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })])

const userSchema = z.object({
  userName: text(200, 1),
  externalId: some(255),
  displayName: some(160),
  title: some(200),
  active: truth.nullish().transform((value) => value ?? undefined),
  name: z
    .object({ formatted: some(300), familyName: some(160), givenName: some(160) })
    .nullish()
    .transform((value) => value ?? undefined),
  emails: z
    .array(
      z.object({
        value: text(320, 3),
        type: some(50),
        primary: truth.nullish().transform((value) => value ?? undefined),
      }),
    )
    .max(20, 'At most 20.')
    .nullish()
    .transform((value) => value ?? undefined),
})

/** A user as a directory wants them; `active`: undefined where it does not say. */
export type WantedUser = z.output<typeof userSchema>

/** A user of a request's body. ScimError invalidValue with all that is wrong. */
export function readUser(body: unknown): WantedUser {
  if (!isRecord(body)) throw new ScimError(400, 'The body is a JSON object.', 'invalidSyntax')
  const parsed = userSchema.safeParse(keptResource(USER_ATTRIBUTES, body))
  if (parsed.success) return parsed.data
  throw new ScimError(400, problemsOf(parsed.error), 'invalidValue')
}

/** All mistakes, each with where it is. */
export const problemsOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.map(String).join('.') || 'body'}: ${message}`).join(' ')

/** What is asked for besides ids, as it is kept. */
export const profileOf = ({ userName, displayName, title, name, emails }: WantedUser): UserProfile => ({
  userName,
  ...(displayName === undefined ? {} : { displayName }),
  ...(title === undefined ? {} : { title }),
  ...(name === undefined || Object.values(name).every((part) => part === undefined) ? {} : { name }),
  ...(emails === undefined || emails.length === 0 ? {} : { emails }),
})

/** The address at which they get mail: the primary one, else the first. */
export const emailOf = ({ emails = [] }: WantedUser): string | null =>
  (emails.find(({ primary }) => primary === true) ?? emails[0])?.value ?? null

/** What people call them. */
export function nameOf({ displayName, name, userName }: WantedUser): string {
  const parts = [name?.givenName, name?.familyName].filter((part) => part !== undefined)
  return (
    displayName ??
    name?.formatted?.slice(0, 160) ??
    (parts.length > 0 ? parts.join(' ').slice(0, 160) : userName)
  )
}

/** What a client may change of somebody, as it would send it. */
export function editableUser({ userName, externalId, profile, name, email, active }: UserRow): Resource {
  const known: UserProfile = profile ?? {
    userName,
    displayName: name,
    ...(email === null ? {} : { emails: [{ value: email, primary: true }] }),
  }
  return { ...structuredClone(known), active, ...(externalId === null ? {} : { externalId }) }
}

/** The resource with its version, as SCIM shows it. */
export function presentUser(user: UserRow, base: string): Resource & { id: string } {
  const { id, groups, createdAt, changedAt } = user
  const resource = { schemas: [USER_SCHEMA], id, ...editableUser(user), groups }
  return {
    ...resource,
    groups: groups.map((group) => ({ ...group, $ref: `${base}/Groups/${group.value}`, type: 'direct' })),
    meta: {
      resourceType: 'User',
      created: createdAt.toISOString(),
      lastModified: changedAt.toISOString(),
      location: `${base}/Users/${id}`,
      version: versionOf(resource),
    },
  }
}

/** A weak entity tag: another one whenever what is shown is another. */
export const versionOf = (resource: Resource): string =>
  `W/"${createHash('sha256').update(JSON.stringify(resource)).digest('base64url').slice(0, 22)}"`
