import type { Actor } from '@tutti/schema'

/** What a person needs to follow a link. */
export const SCOPES = { approval: 'approvals:decide', escalation: 'escalations:handle' } as const

/** What a link is for. */
export interface LinkSubject {
  kind: 'approval' | 'escalation'
  id: string
  /** The approval's round, or the escalation's turn. */
  round: number
  /** Of what the approval asked for; null of an escalation. */
  digest: string | null
}

/** A link that is neither used nor over. */
export interface DecisionLink extends LinkSubject {
  linkId: string
  /** As `approval/<id>`. */
  subject: string
  principalId: string
}

/** Of `decision_link l`, to be joined: what it was sent with as `n`, and whose it is as `p`. */
export const SENT_TO = `notification n on n.organization_id = l.organization_id and n.id = l.notification_id
  join principal p on p.organization_id = l.organization_id and p.id = l.principal_id`

/** The person as who is sent a link: whoever made the key by which they said where to may be who follows it. */
export const sentBy = (person: Actor, makers: readonly string[]): Actor =>
  makers.length === 0 ? person : { ...person, credentialBy: [...makers] }
