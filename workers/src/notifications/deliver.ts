import { revealCredential } from '@tutti/agents/domain'
import type { Delivery, NotificationRow } from '@tutti/governance/domain'
import { Webhook } from 'standardwebhooks'
import { request } from 'undici'
import { AddressRefused, type Egress } from '../executors/open-egress.ts'
import { refuseAddress } from '../executors/refuse-address.ts'
import { type WorkerServices, workerActor } from '../worker-services.ts'
import { addLink } from './add-link.ts'
import type { Attempt, Mailer } from './open-mailer.ts'
import { oneLine, type Telling, writeLines } from './write-lines.ts'

const TIMEOUT_MS = 20_000
const MOST_DETAIL = 1_000

/** What a delivery works with. */
export interface DeliveryServices extends Pick<WorkerServices, 'database' | 'kms' | 'log'> {
  egress: Egress
  mailer: Mailer
  /** Where people reach the gateway; without it nobody gets a link. */
  publicUrl?: string | undefined
  /** How long a receiver has to answer; 20,000 unless given. */
  timeoutMs?: number
}

/**
 * Tells somebody once more. What went wrong is in the answer as far as the tenant may know it, and in the process's log: an error's
 * own text tells of the operator's network. Throws only when the database does not answer.
 */
export async function deliver(
  services: DeliveryServices,
  organizationId: string,
  notification: NotificationRow,
): Promise<Delivery> {
  const { told, token } = await addLink(services, organizationId, notification)
  const { detail, ...delivery } = await send(services, organizationId, told)
  if (detail !== undefined) {
    // A server's refusal may repeat what it was sent.
    const text = token === null ? detail : detail.replaceAll(token, '…')
    services.log.warn(
      { organizationId, notificationId: notification.id, detail: text.slice(0, MOST_DETAIL) },
      'what is to be told was not taken',
    )
  }
  return delivery
}

async function send(
  services: DeliveryServices,
  organizationId: string,
  notification: Telling,
): Promise<Attempt> {
  try {
    if (notification.kind === 'email') return await services.mailer.send(notification)
    const secret = await secretOf(services, organizationId, notification)
    return await post(services, notification, secret)
  } catch (error) {
    if (error instanceof Unusable)
      return { ok: false, message: error.message, final: !(error instanceof Missing) }
    return { ok: false, message: UNKNOWN, detail: String(error) }
  }
}

/** What is set cannot work, however often it is tried. */
class Unusable extends Error {}

/** It does when somebody sets it. */
class Missing extends Unusable {}

/** Alike whether a name leads nowhere or to where nobody outside may send us: which names the inner DNS has is the operator's. */
function failureOf(error: unknown): string {
  if (error instanceof AddressRefused) return NO_PUBLIC_ADDRESS
  if (!(error instanceof Error)) return UNKNOWN
  if (error.name === 'TimeoutError') return 'It was not answered in time.'
  const code = 'code' in error ? String(error.code) : ''
  if (NO_ADDRESS.test(code)) return NO_PUBLIC_ADDRESS
  return CONNECTION.test(code) ? `The connection failed (${code}).` : UNKNOWN
}

const UNKNOWN = 'It could not be delivered.'
const NO_PUBLIC_ADDRESS = 'The name has no public address.'
const NO_ADDRESS = /^(ENOTFOUND|ENODATA|EAI_\w+)$/
/** Only with public addresses there are any. */
const CONNECTION = /^(E[A-Z]+|UND_ERR_\w+|ERR_(TLS|SSL)_\w+|\w*CERT\w*|UNABLE_TO_\w+)$/

async function secretOf(
  services: DeliveryServices,
  organizationId: string,
  { credential, address, kind }: NotificationRow,
): Promise<string | null> {
  if (credential === null) return null
  const found = await revealCredential(services, workerActor(organizationId), credential)
  if (!found) throw new Missing(`There is no credential "${credential}".`)
  if (found.agentId !== null || found.provider !== null)
    throw new Unusable(`The credential "${credential}" belongs to an agent or a provider.`)
  const url = kind === 'chat' ? found.value : address
  if (!URL.canParse(url)) throw new Unusable(`The credential "${credential}" is no URL.`)
  if (found.origins.length > 0 && !found.origins.includes(new URL(url).origin))
    throw new Unusable(`The credential "${credential}" is for other places.`)
  return found.value
}

async function post(
  {
    egress: { allowLocal, dispatcher },
    timeoutMs = TIMEOUT_MS,
  }: Pick<DeliveryServices, 'egress' | 'timeoutMs'>,
  notification: Telling,
  secret: string | null,
): Promise<Attempt> {
  const url = notification.kind === 'chat' ? (secret ?? notification.address) : notification.address
  const refusal = refuseAddress(url, allowLocal)
  if (refusal) throw new Unusable(refusal)
  const body = JSON.stringify(bodyOf(notification))
  const headers =
    notification.kind === 'webhook'
      ? signatureOf(notification.id, body, secret ?? '')
      : { 'webhook-id': notification.id }
  // `request` follows no redirect.
  try {
    const { statusCode, body: answer } = await request(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
      dispatcher,
      signal: AbortSignal.timeout(timeoutMs),
    })
    answer.on('error', () => undefined).destroy()
    return statusCode >= 200 && statusCode < 300
      ? { ok: true }
      : { ok: false, message: `It was answered with status ${statusCode}.` }
  } catch (error) {
    return { ok: false, message: failureOf(error), detail: String(error) }
  }
}

function bodyOf(telling: Telling): unknown {
  const { kind, message, createdAt } = telling
  if (kind === 'chat')
    return { text: [`*${inert(oneLine(message.title))}*`, ...writeLines(telling, inert)].join('\n') }
  return { type: message.type, timestamp: createdAt.toISOString(), data: message.data }
}

/**
 * Nothing in it notifies somebody or leads elsewhere: in Slack `<…>` does, in Mattermost and others `@name`, Markdown's links and
 * addresses as such. Those are broken by a space that is not seen.
 */
const inert = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('`', "'")
    .replaceAll(/[@＠\]]|:(?=\/\/)|www(?=\.)/gi, '$&\u{200b}')

function signatureOf(id: string, body: string, secret: string): Record<string, string> {
  const now = new Date()
  let signature: string
  try {
    signature = new Webhook(secret).sign(id, now, body)
  } catch {
    throw new Unusable('The credential is no signing secret: whsec_ and base64.')
  }
  return {
    'webhook-id': id,
    'webhook-timestamp': Math.floor(now.getTime() / 1000).toString(),
    'webhook-signature': signature,
  }
}
