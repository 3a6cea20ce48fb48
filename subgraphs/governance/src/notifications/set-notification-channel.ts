import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { actorRef } from '../access/actor-ref.ts'
import type { DomainServices } from '../context.ts'
import { line } from '../input/text.ts'
import { personOf } from '../on-call/person-of.ts'
import { CHANNEL_COLUMNS, CHANNEL_KINDS, type ChannelRow, OWNER_KINDS } from './channel-row.ts'
import { recordChannelChange } from './record-channel-change.ts'
import { requireOwnOrSettings } from './require-own-or-settings.ts'

const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(words, { error: `One of ${words.join(', ')}.` }))

const isWebUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

// Of an address: it is part of a key.
const MOST_BYTES = 2_000

const inputSchema = z
  .object({
    ownerKind: oneOf(OWNER_KINDS),
    owner: line().nullish(),
    kind: oneOf(CHANNEL_KINDS),
    address: line(MOST_BYTES)
      .refine((text) => Buffer.byteLength(text) <= MOST_BYTES, `At most ${MOST_BYTES} bytes.`)
      .nullish(),
    credential: line().nullish(),
  })
  .superRefine(({ ownerKind, owner, kind, address, credential }, check) => {
    const wrong = (path: string, message: string): void =>
      check.addIssue({ code: 'custom', path: [path], message })
    if ((ownerKind === 'organization') !== (owner == null))
      wrong('owner', 'The group or the person; of the organization there is none.')
    if (kind === 'email' && !z.email().safeParse(address).success)
      wrong('address', 'An e-mail address, as ada@example.com.')
    if (kind === 'email' && credential != null) wrong('credential', 'E-mail has none.')
    if (kind === 'webhook' && (address == null || !isWebUrl(address)))
      wrong('address', 'A URL, as https://example.com/hook.')
    if (kind === 'webhook' && credential == null)
      wrong('credential', 'The name of a credential that signs it: whsec_ and 24 to 64 bytes in base64.')
    if (kind === 'chat' && (address == null) === (credential == null))
      wrong('address', 'The URL, or the name of a credential that is the URL: one of them.')
    if (kind === 'chat' && address != null && !isWebUrl(address))
      wrong('address', 'A URL, as https://chat.example.com/hooks/….')
  })

/**
 * Says where somebody is told what waits for them; the same place of the same is replaced. What somebody says of themselves
 * is a place where links go. Events: notification_channel.changed. Audit: a decision. BAD_INPUT with all mistakes,
 * NOT_FOUND for an id of nobody, FORBIDDEN for another's without settings:write.
 */
export async function setNotificationChannel(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<ChannelRow> {
  const { ownerKind, owner, kind, address, credential } = parseInput(inputSchema, input)
  requireOwnOrSettings(actor, { ownerKind, owner: owner ?? null })
  return database.inTenant(actor, async (tx) => {
    if (ownerKind === 'person') await personOf(tx, owner ?? '', 'input.owner')
    const [row] = await tx.sql<ChannelRow>(
      `insert into notification_channel (organization_id, owner_kind, owner, kind, address, credential, set_by)
       values ($1::uuid, $2, $3, $4, $5, $6, $7::jsonb)
       on conflict (organization_id, owner_kind, owner, kind, address)
         do update set credential = excluded.credential, set_by = excluded.set_by, updated_at = now()
       returning ${CHANNEL_COLUMNS}`,
      actor.organizationId,
      ownerKind,
      owner ?? actor.organizationId,
      kind,
      address ?? '',
      credential ?? null,
      // With who made their key, and may be behind it: a link that goes there is none for what those asked for.
      JSON.stringify({ ...actorRef(actor), credentialBy: actor.credentialBy }),
    )
    if (!row) throw new Error('An insert answered with no row.')
    await recordChannelChange(tx, row, 'set')
    return row
  })
}
