import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import type { NotificationRow } from '../notifications/notification-row.ts'
import { MAKERS_OF_PLACE } from '../notifications/own-place.ts'
import { type LinkSubject, SCOPES, sentBy } from './decision-link.ts'
import { hashToken, newToken } from './link-token.ts'
import { readPerson } from './read-person.ts'
import { readSubject, type Waiting } from './read-subject.ts'

const LONGEST_DAYS = 7

/**
 * A new link for the one person who is told at a place: its token, which is not kept. It ends with the deadline, after seven
 * days at the latest. Null where several are told there, where the place is not the person's own (any
 * more), or the person could not decide or take on what waits.
 */
export async function issueLink(
  services: DomainServices,
  actor: Actor,
  { id: notificationId, subject, turn, linkFor, message }: NotificationRow,
): Promise<string | null> {
  const [kind, id = ''] = subject.split('/')
  if (linkFor === null || (kind !== 'approval' && kind !== 'escalation')) return null
  const { digest } = message.data
  const about: LinkSubject =
    kind === 'approval'
      ? { kind, id, round: Math.floor(turn / 100), digest: typeof digest === 'string' ? digest : null }
      : { kind, id, round: turn, digest: null }
  const makers = await readMakers(services, actor, notificationId)
  const person = makers && (await readPerson(services, actor.organizationId, linkFor, SCOPES[kind]))
  const waiting = person && (await readSubject(services, sentBy(person, makers), about))
  if (!waiting) return null
  const token = newToken()
  await services.database.inTenant(actor, (tx) =>
    tx.sql(
      `insert into decision_link (organization_id, token_hash, subject, round, digest, principal_id, notification_id,
         expires_at)
       values ($1::uuid, $2, $3, $4::int, $5, $6::uuid, $7::uuid,
         least($8::timestamptz, clock_timestamp() + make_interval(days => ${LONGEST_DAYS}))) returning id`,
      actor.organizationId,
      hashToken(token),
      subject,
      about.round,
      about.digest,
      linkFor,
      notificationId,
      deadlineOf(waiting),
    ),
  )
  return token
}

/** Who made the keys by which the person said where they are told; null: the place is not their own. */
async function readMakers(
  { database }: DomainServices,
  actor: Actor,
  notificationId: string,
): Promise<string[] | null> {
  const [place] = await database.readTenant<{ makers: string[] | null }>(
    actor,
    `select ${MAKERS_OF_PLACE} as makers from notification n
     join principal p on p.organization_id = n.organization_id and p.id = n.link_for
     where n.organization_id = $1 and n.id = $2`,
    [actor.organizationId, notificationId],
  )
  return place?.makers ?? null
}

const deadlineOf = (waiting: Waiting): Date | null =>
  waiting.kind === 'approval' ? waiting.approval.expiresAt : waiting.escalation.resolveBy
