import { createHash } from 'node:crypto'
import { takeCall } from '@tutti/prisma'
import { systemActor } from '@tutti/schema'
import { Webhook } from 'standardwebhooks'
import { v7 as uuidv7 } from 'uuid'
import type { Services } from '../context.ts'
import { insertFirings } from './insert-firings.ts'
import { makeFiring } from './make-firing.ts'
import { type FiringOutcome, settleFirings, startFirings, tellLater } from './start-firings.ts'
import { isStorableText } from './unstorable.ts'
import { readPayload } from './read-payload.ts'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'
import { refusal, type WebhookAnswer, type WebhookCall } from './webhook-answer.ts'
import { hashPath, newSigningSecret, unseal } from './webhook-secret.ts'

/** Of a sender's clock and of a call's way, seconds. */
const TOLERANCE_SECONDS = 5 * 60
const LONGEST_ID = 200
const NOBODY = '00000000-0000-0000-0000-000000000000'
/** Where no trigger is found the signature is checked all the same, so that the time tells nothing. */
const DUMMY_SECRET = newSigningSecret()

const UNKNOWN = refusal(404, 'NOT_FOUND', 'There is no such hook, or the call is not signed as it should be.')

type Known = TriggerRow & { signedBy: string | null }

/**
 * Starts the run of a webhook. 202 with the run's id; the same id again with a newer timestamp is the sender trying again
 * and gets the same run; with the same one it is a replay: 409. Unknown path and wrong signature answer alike, 404, after
 * the same work.
 */
export async function receiveWebhook(
  services: Pick<Services, 'database' | 'wake' | 'secret' | 'log'>,
  call: WebhookCall,
): Promise<WebhookAnswer> {
  const trigger = await findHook(services, call.path)
  const genuine = verify(call, trigger)
  if (!trigger || !genuine) return UNKNOWN
  if (trigger.status === 'paused') return refusal(409, 'INVALID_STATE', 'The hook is paused.')
  const retryAfter = await takeCall(services.database, systemActor(trigger.organizationId, 'webhook'), {
    table: 'trigger',
    ...trigger,
  })
  if (retryAfter !== null)
    return {
      ...refusal(429, 'RATE_LIMITED', 'The hook is called more often than its trigger takes.'),
      retryAfter,
    }
  if (call.webhookId !== null && (call.webhookId.length > LONGEST_ID || !isStorableText(call.webhookId))) {
    return refusal(400, 'BAD_INPUT', `A webhook-id has at most ${LONGEST_ID} characters.`)
  }
  const payload = readPayload(call)
  if ('status' in payload) return payload
  return fire(services, trigger, call, payload.value)
}

/** The organization by the path's hash, then in it the trigger; two questions, whatever the first answers. */
async function findHook(
  { database, secret }: Pick<Services, 'database' | 'secret'>,
  path: string,
): Promise<Known | null> {
  const hash = hashPath(path)
  const { rows } = await database
    .pool('api')
    .query<{ organization: string | null }>('select find_trigger_organization($1) as organization', [hash])
  const organization = rows[0]?.organization ?? NOBODY
  const [row] = await database.readTenant<TriggerRow>(
    systemActor(organization, 'webhook'),
    `select ${TRIGGER_COLUMNS} from trigger t where t.organization_id = $1 and t.path_hash = $2`,
    [organization, hash],
  )
  if (!row) return null
  return { ...row, signedBy: row.signingSecret === null ? null : unseal(secret, row.id, row.signingSecret) }
}

/** Whether the call is signed as its trigger wants; a hook whose path is its key wants nothing. */
function verify(call: WebhookCall, trigger: Known | null): boolean {
  const signed = isSigned(call, trigger?.signedBy ?? DUMMY_SECRET)
  return trigger !== null && (trigger.signedBy === null || signed)
}

function isSigned({ webhookId, timestamp, signature, body }: WebhookCall, secret: string): boolean {
  const webhook = new Webhook(secret)
  try {
    const headers = {
      'webhook-id': webhookId ?? '-',
      'webhook-timestamp': timestamp ?? '0',
      'webhook-signature': signature ?? '-',
    }
    // A timestamp that is too old or none spares the library the hashing; we do not let that show.
    if (secondsOf(timestamp) === null) webhook.sign('-', new Date(), body ?? '')
    webhook.verify(body ?? '', headers, { jsonParse: false })
    return webhookId !== null && body !== null
  } catch {
    return false
  }
}

/** A timestamp within the tolerance, seconds since the epoch. */
function secondsOf(timestamp: string | null): number | null {
  if (timestamp === null || !/^\d{1,12}$/.test(timestamp)) return null
  const seconds = Number(timestamp)
  return Math.abs(Date.now() / 1_000 - seconds) <= TOLERANCE_SECONDS ? seconds : null
}

interface Noted {
  id: string
  status: string
  runId: string | null
  error: { code: string; message: string } | null
  sentAt: bigint | null
  bodyHash: string | null
}

async function fire(
  services: Pick<Services, 'database' | 'wake' | 'log'>,
  trigger: Known,
  call: WebhookCall,
  payload: unknown,
): Promise<WebhookAnswer> {
  const { database } = services
  const { organizationId } = trigger
  const actor = systemActor(organizationId, 'webhook')
  const id = uuidv7()
  const sentAt = secondsOf(call.timestamp)
  const bodyHash = createHash('sha256')
    .update(call.body ?? '')
    .digest('base64url')
  const made = makeFiring(trigger, payload, `webhook:${call.webhookId ?? id}`)
  const noted = await database.transact(actor, async (client) => {
    const fresh = await insertFirings(client, [
      {
        organizationId,
        id,
        triggerId: trigger.id,
        status: made.error === null ? 'pending' : 'failed',
        ...made,
        // The scheduler takes it only if we do not come to it.
        dueAt: new Date(Date.now() + 15_000).toISOString(),
        ...(sentAt === null ? {} : { sentAt }),
        bodyHash,
      },
    ])
    if (fresh.has(id)) return null
    // A sender that tries again says so by a newer timestamp; it is remembered, so that this one is not replayed either.
    const known = await client.query<Noted>(
      `update trigger_firing f set sent_at = greatest(f.sent_at, $4)
       from (select * from trigger_firing
         where organization_id = $1 and trigger_id = $2 and occurrence = $3 for update) was
       where f.organization_id = was.organization_id and f.id = was.id
       returning f.id, f.status, f.run_id as "runId", f.error, was.sent_at as "sentAt", f.body_hash as "bodyHash"`,
      [organizationId, trigger.id, made.occurrence, sentAt],
    )
    return known.rows[0] ?? null
  })
  if (noted !== null)
    return answerRepeat(noted, { sentAt, bodyHash, keyed: made.occurrence.startsWith('key:') })
  database.announce()
  if (made.error !== null) return failure(made.error)
  const { name, workflowId, priority } = trigger
  const { occurrence, input } = made
  const [outcome] = await startFirings(services, [
    {
      organizationId,
      id,
      triggerId: trigger.id,
      name,
      workflowId,
      priority,
      occurrence,
      input,
      firedBy: null,
      attempts: 0,
    },
  ])
  if (outcome) {
    tellLater(services, [outcome])
    await database.transact(actor, (client) => settleFirings(client, [outcome]))
  }
  database.announce()
  return answerOutcome(outcome)
}

function answerOutcome(outcome: FiringOutcome | undefined): WebhookAnswer {
  if (outcome && 'runId' in outcome) return { status: 202, body: { runId: outcome.runId } }
  if (outcome && 'error' in outcome) return failure(outcome.error)
  return refusal(503, 'UNAVAILABLE', 'It is noted, and its run is started as soon as may be.')
}

/** The same id again; where the trigger has a key of its own, the same key, which may well come in another call. */
function answerRepeat(
  noted: Noted,
  { sentAt, bodyHash, keyed }: { sentAt: number | null; bodyHash: string; keyed: boolean },
): WebhookAnswer {
  const newer = sentAt !== null && noted.sentAt !== null && BigInt(sentAt) > noted.sentAt
  const again = keyed || (newer && noted.bodyHash === bodyHash)
  if (!again) return refusal(409, 'CONFLICT', 'This webhook-id has been received: a replay.')
  if (noted.error) return failure(noted.error)
  return { status: 202, body: { runId: noted.runId } }
}

const failure = ({ code, message }: { code: string; message: string }): WebhookAnswer =>
  refusal(422, code, message)
