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
