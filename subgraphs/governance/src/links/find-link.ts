import { type Actor, systemActor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { MAKERS_OF_PLACE } from '../notifications/own-place.ts'
import { type DecisionLink, SCOPES, SENT_TO, sentBy } from './decision-link.ts'
import { hashToken } from './link-token.ts'
import { readPerson } from './read-person.ts'
import { readSubject, type Waiting } from './read-subject.ts'
import { recordDeadLink } from './record-dead-link.ts'

interface LinkRow {
  id: string
  subject: string
  round: number
  digest: string | null
  principalId: string
  name: string
  used: boolean
  over: boolean
  /** Who made the keys by which the person said where it is to be sent; null: that is not their own place. */
  makers: string[] | null
}

/** A link that opens something now, whose it is, and what it opens. */
export interface OpenLink {
  link: DecisionLink
  person: Actor
  waiting: Waiting
}

const NOBODY = '00000000-0000-0000-0000-000000000000'

/**
 * What a token opens, by its hash: the organization first, then the link in it. Null when there is none, or what it is for is
 * settled, changed or not the person's now; and, which is a denial, when it was used or is over, it was sent to a place that
 * is not the person's own (any more), or the person may not decide such things any more.
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
    `select l.id, l.subject, l.round, l.digest, l.principal_id as "principalId", p.name, l.used_at is not null as used,
       l.expires_at <= clock_timestamp() as over, ${MAKERS_OF_PLACE} as makers
     from decision_link l join ${SENT_TO} where l.organization_id = $1 and l.token_hash = $2`,
    [organizationId, hash],
  )
  const [kind, id] = row?.subject.split('/') ?? []
  if (!row || id === undefined || (kind !== 'approval' && kind !== 'escalation')) return null
  const { id: linkId, subject, round, digest, principalId, name, used, over, makers } = row
  const credentialId = `link:${linkId}`
  const refused = async (why: string): Promise<null> => {
    const person: Actor = {
      organizationId,
      id: principalId,
      kind: 'person',
      name,
      roles: [],
      scopes: [],
      credentialId,
    }
    await recordDeadLink(services, { subject, person }, why)
    return null
  }
  if (used) return refused('it was used.')
  if (over) return refused('its time is over.')
  if (makers === null) return refused('it was sent where its person does not say any more.')
  const person = await readPerson(services, organizationId, principalId, SCOPES[kind])
  if (!person) return refused('its person may not any more.')
  const link: DecisionLink = { linkId, kind, id, subject, round, digest, principalId }
  const actor: Actor = { ...sentBy(person, makers), credentialId }
  const waiting = await readSubject(services, actor, link)
  return waiting && { link, person: actor, waiting }
}
