import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { NotificationRow } from '../notifications/notification-row.ts'
import { type LinkSubject, SCOPES } from './decision-link.ts'
import { hashToken, newToken } from './link-token.ts'
import { readPerson } from './read-person.ts'
import { readSubject, type Waiting } from './read-subject.ts'

const LONGEST_DAYS = 7

/**
 * A new link for the one person who is told at a place: its token, which is not kept. It ends with the deadline, after seven
 * days at the latest. Null where several are told there, or the person could not decide or take on what waits.
 */
export async function issueLink(
  services: DomainServices,
  actor: Actor,
  { subject, turn, linkFor, message }: NotificationRow,
): Promise<string | null> {
  const [kind, id = ''] = subject.split('/')
  if (linkFor === null || (kind !== 'approval' && kind !== 'escalation')) return null
  const { digest } = message.data
  const about: LinkSubject =
    kind === 'approval'
      ? { kind, id, round: Math.floor(turn / 100), digest: typeof digest === 'string' ? digest : null }
      : { kind, id, round: turn, digest: null }
  const person = await readPerson(services, actor.organizationId, linkFor, SCOPES[kind])
  const waiting = person && (await readSubject(services, person, about))
  if (!waiting) return null
  const token = newToken()
  await services.database.inTenant(actor, (tx) =>
    tx.sql(
      `insert into decision_link (organization_id, token_hash, subject, round, digest, principal_id, expires_at)
       values ($1::uuid, $2, $3, $4::int, $5, $6::uuid,
         least($7::timestamptz, clock_timestamp() + make_interval(days => ${LONGEST_DAYS}))) returning id`,
      actor.organizationId,
      hashToken(token),
      subject,
      about.round,
      about.digest,
      linkFor,
      deadlineOf(waiting),
    ),
  )
  return token
}

const deadlineOf = (waiting: Waiting): Date | null =>
  waiting.kind === 'approval' ? waiting.approval.expiresAt : waiting.escalation.resolveBy
