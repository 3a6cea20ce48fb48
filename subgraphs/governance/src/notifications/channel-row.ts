import type { ActorRef } from '../access/actor-ref.ts'

/** Ways to tell somebody. */
export const CHANNEL_KINDS = ['email', 'webhook', 'chat'] as const
export type ChannelKind = (typeof CHANNEL_KINDS)[number]

/** Whose a channel is. */
export const OWNER_KINDS = ['organization', 'group', 'person'] as const
export type OwnerKind = (typeof OWNER_KINDS)[number]

/** A channel as its table keeps it. */
export interface ChannelRow {
  id: string
  ownerKind: OwnerKind
  /** The organization's id, the group's name, or the person's id. */
  owner: string
  kind: ChannelKind
  /** An e-mail address or a URL; empty: the credential is the URL. */
  address: string
  /** The name of a credential: what signs a webhook, or a chat's URL. */
  credential: string | null
  setBy: ActorRef
  updatedAt: Date
}

/** {@link ChannelRow} of the table `notification_channel`. */
export const CHANNEL_COLUMNS = `id, owner_kind as "ownerKind", owner, kind, address, credential, set_by as "setBy",
  updated_at as "updatedAt"`
