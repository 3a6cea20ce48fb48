import { type Actor, systemActor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { MAKERS_OF_PLACE } from '../notifications/own-place.ts'
import { type DecisionLink, SCOPES, SENT_TO, sentBy } from './decision-link.ts'
import { hashToken } from './link-token.ts'
import { readPerson } from './read-person.ts'
import { readSubject, type Waiting } from './read-subject.ts'

interface LinkRow {
  id: string
  subject: string
  round: number
  digest: string | null
  principalId: string
  /** Who made the keys by which the person said where it is to be sent. */
  makers: string[]
}

/** A link that opens something now, whose it is, and what it opens. */
export interface OpenLink {
  link: DecisionLink
  person: Actor
  waiting: Waiting
}

const NOBODY = '00000000-0000-0000-0000-000000000000'

/**
 * What a token opens, by its hash: the organization first, then the link in it. Null when there is none, it was used or is
 * over, it was sent to a place that is not the person's own (any more), what it is for is settled or changed, or the person
 * may not decide it now.
 */
export async function findLink(services: DomainServices, token: string): Promise<OpenLink | null> {
  const hash = hashToken(token)
  const { rows } = await services.database
    .pool('api')
    .query<{ organization: string | null }>('select find_decision_link_organization($1) as organization', [
      hash,
    ])
  const organizationId = rows[0]?.organization ?? NOBODY
  const [row] = await services.database.readTenant<LinkRow>(
    systemActor(organizationId, 'link'),
    `select l.id, l.subject, l.round, l.digest, l.principal_id as "principalId", ${MAKERS_OF_PLACE} as makers
     from decision_link l join ${SENT_TO}
     where l.organization_id = $1 and l.token_hash = $2 and l.used_at is null and l.expires_at > clock_timestamp()
       and ${MAKERS_OF_PLACE} is not null`,
    [organizationId, hash],
  )
  const [kind, id] = row?.subject.split('/') ?? []
  if (!row || id === undefined || (kind !== 'approval' && kind !== 'escalation')) return null
  const person = await readPerson(services, organizationId, row.principalId, SCOPES[kind])
  if (!person) return null
  const { id: linkId, makers, ...rest } = row
  const link: DecisionLink = { ...rest, linkId, kind, id }
  const actor: Actor = { ...sentBy(person, makers), credentialId: `link:${linkId}` }
  const waiting = await readSubject(services, actor, link)
  return waiting && { link, person: actor, waiting }
}
