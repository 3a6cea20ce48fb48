import { randomBytes } from 'node:crypto'
import { takeCall } from '@tutti/prisma'
import { type Actor, systemActor } from '@tutti/schema'
import { z } from 'zod'
import { findUnsafeValues } from '../configuration/find-unsafe-values.ts'
import type { Services } from '../context.ts'
import { revealCredential } from '../credentials/reveal-credential.ts'
import { hashPath } from './connector-path.ts'
import { CONNECTOR_COLUMNS, type ConnectorRow } from './connector-row.ts'
import { type ConnectorCall, deliveryKeys, fieldOf, isGenuine, isSame, type Scheme } from './verify-call.ts'

/** What the gateway answers: JSON, or text for a challenge. */
export interface ConnectorAnswer {
  status: number
  body: Record<string, unknown> | string
  /** Of 429, whole seconds: the header Retry-After. */
  retryAfter?: number
}

/** A call as the gateway's process sends it. */
export const connectorCallSchema = z.object({
  method: z.enum(['GET', 'POST']),
  path: z.string(),
  query: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  body: z.string().nullable(),
})

const refusal = (status: number, code: string, message: string): ConnectorAnswer => ({
  status,
  body: { code, message },
})
const UNKNOWN = refusal(
  404,
  'NOT_FOUND',
  'There is no such connector, or the call is not signed as it should be.',
)
const TOO_OFTEN = refusal(429, 'RATE_LIMITED', 'The connector calls more often than is taken from it.')
const NOBODY = '00000000-0000-0000-0000-000000000000'
/** Where no connector is found the signature is checked all the same, so that the time tells little. */
const DUMMY_SECRET = randomBytes(32).toString('base64')
const LONGEST_CHALLENGE = 1_000

type Receiving = Pick<Services, 'database' | 'kms' | 'log'>

/**
 * Takes a call of a connector: verified in its source's own way, and once for each delivery. Events: integration.event of
 * type `connector.<name>.received`. 200 with `created: false` for a delivery that was taken before; unknown path, wrong
 * signature and a time out of the window answer alike, 404; genuine calls beyond the connector's rate 429.
 */
export async function receiveConnectorCall(
  services: Receiving,
  call: ConnectorCall,
): Promise<ConnectorAnswer> {
  const found = await findConnector(services, call.path)
  if (call.method === 'GET') return answerChallenge(services, found, call)
  const secret = found && (await secretOf(services, found.actor, found.connector.credential))
  const scheme = found?.connector.scheme ?? 'github'
  const genuine = isGenuine(scheme, call, secret ?? DUMMY_SECRET)
  if (!found || secret === null || !genuine) return UNKNOWN
  const retryAfter = await takeCall(services.database, found.actor, {
    table: 'connector',
    ...found.connector,
  })
  if (retryAfter !== null) return { ...TOO_OFTEN, retryAfter }
  const payload = readPayload(call)
  if ('status' in payload) return payload
  const challenge = slackChallenge(scheme, payload.value)
  if (challenge !== null) return { status: 200, body: { challenge } }
  return take(services, found, scheme, call, payload.value)
}

interface Found {
  connector: ConnectorRow
  actor: Actor
}

/** The organization by the path's hash, then in it the connector; two questions, whatever the first answers. */
async function findConnector({ database }: Receiving, path: string): Promise<Found | null> {
  const hash = hashPath(path)
  const { rows } = await database
    .pool('api')
    .query<{ organization: string | null }>('select find_connector_organization($1) as organization', [hash])
  const actor = systemActor(rows[0]?.organization ?? NOBODY, 'connector')
  const [connector] = await database.readTenant<ConnectorRow>(
    actor,
    `select ${CONNECTOR_COLUMNS} from connector where organization_id = $1 and path_hash = $2 and scheme is not null`,
    [actor.organizationId, hash],
  )
  return connector ? { connector, actor } : null
}

/** Null where it is not there any more, or became somebody's own; a key that is missing is our failure, and throws. */
async function secretOf(services: Receiving, actor: Actor, name: string | null): Promise<string | null> {
  const credential = name === null ? undefined : await revealCredential(services, actor, name)
  return credential && credential.agentId === null && credential.provider === null ? credential.value : null
}

/** Meta asks at the path whether it is ours, by the token that it was given there. */
async function answerChallenge(
  services: Receiving,
  found: Found | null,
  { query }: ConnectorCall,
): Promise<ConnectorAnswer> {
  const token = found && (await secretOf(services, found.actor, found.connector.verifyCredential))
  const same = isSame(query['hub.verify_token'] ?? '', token ?? DUMMY_SECRET)
  const challenge = query['hub.challenge'] ?? ''
  const asks = query['hub.mode'] === 'subscribe' && challenge !== '' && challenge.length <= LONGEST_CHALLENGE
  return token !== null && same && asks ? { status: 200, body: challenge } : UNKNOWN
}

/** Slack asks so whether the path is ours, signed as every call. */
function slackChallenge(scheme: Scheme, payload: unknown): string | null {
  if (scheme !== 'slack' || fieldOf(payload, 'type') !== 'url_verification') return null
  const challenge = fieldOf(payload, 'challenge')
  return typeof challenge === 'string' && challenge.length <= LONGEST_CHALLENGE ? challenge : null
}

const FORM = 'application/x-www-form-urlencoded'

/** JSON, or a form: its fields, or what its only field `payload` holds. */
function readPayload({ headers, body }: ConnectorCall): ConnectorAnswer | { value: unknown } {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  const value = type === FORM ? readForm(body ?? '') : parseJson(body ?? '')
  if (value === undefined) return refusal(400, 'BAD_INPUT', 'The body is neither JSON nor a form.')
  const [problem] = findUnsafeValues(value)
  return problem ? refusal(400, 'BAD_INPUT', `The body: ${problem.message}`) : { value }
}

function readForm(body: string): unknown {
  const fields = Object.fromEntries(new URLSearchParams(body))
  const { payload, ...others } = fields
  return payload !== undefined && Object.keys(others).length === 0 ? parseJson(payload) : fields
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What a source calls the event, where the body does not say it. */
const KIND_HEADERS = ['x-github-event', 'linear-event'] as const

async function take(
  { database }: Receiving,
  { connector: { id, name }, actor }: Found,
  scheme: Scheme,
  call: ConnectorCall,
  payload: unknown,
): Promise<ConnectorAnswer> {
  const keys = deliveryKeys(scheme, call, payload)
  const [delivery = ''] = keys
  const created = await database.inTenant(actor, async (tx) => {
    // All of its names or none: the one row that is not new takes back nothing, since the event alone is what counts.
    const fresh = await tx.sql(
      `insert into connector_delivery (organization_id, connector, delivery)
       select $1::uuid, $2, x from unnest($3::text[]) as x order by x on conflict do nothing returning delivery`,
      actor.organizationId,
      name,
      keys,
    )
    if (fresh.length < keys.length) return false
    const kind = KIND_HEADERS.map((header) => call.headers[header]).find((value) => value !== undefined)
    await tx.appendEvent({
      type: 'integration.event',
      subject: `connector/${id}`,
      data: {
        type: `connector.${name}.received`,
        source: `connector:${name}`,
        id: delivery,
        subject: kind?.slice(0, 500) ?? null,
        data: payload,
        time: null,
        runId: null,
      },
    })
    return true
  })
  return { status: 200, body: { deliveryId: delivery, created } }
}
