import { randomUUID } from 'node:crypto'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { credentialName } from '../configuration/credential-name.ts'
import { CREDENTIAL_COLUMNS, type CredentialRow } from './credential-row.ts'
import { credentialValue, lastFourOf, sealValue } from './credential-value.ts'
import { type CredentialServices, currentDataKey, type DataKey } from './data-key.ts'

const KINDS = ['API_KEY', 'TOKEN', 'PASSWORD', 'OTHER'] as const

const origin = z
  .string()
  .max(300)
  .refine(isOrigin, 'An origin is as https://agents.example.com, without a path.')

const inputSchema = z
  .object({
    name: credentialName,
    value: credentialValue,
    kind: z.enum(KINDS).nullish(),
    agentId: z.string().nullish(),
    provider: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, 'Small letters, digits and . _ - only, as openai.')
      .nullish(),
    origins: z.array(origin).max(20).nullish(),
  })
  .refine(({ agentId, provider }) => agentId == null || provider == null, {
    path: ['provider'],
    message: 'It belongs to an agent or to a provider, not to both.',
  })
  .refine(({ name, provider }) => provider == null || name === `provider/${provider}`, {
    path: ['name'],
    message: 'The credential of a provider is named provider/ and its name, as provider/openai.',
  })

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

/**
 * Stores a new credential; its value is never shown again. Events: credential.set. BAD_INPUT with all mistakes, NOT_FOUND
 * for an unknown agent, CONFLICT when there is one of this name.
 */
export async function setCredential(
  services: CredentialServices,
  actor: Actor,
  given: unknown,
): Promise<CredentialRow> {
  const input = parseInput(inputSchema, given)
  const { organizationId } = actor
  return withDataKey(services, actor, (dataKey) => {
    const id = uuidV7()
    const { nonce, ciphertext } = sealValue(dataKey.key, input.value, {
      organizationId,
      id,
      name: input.name,
    })
    return services.database.inTenant(actor, async (tx) => {
      if (input.agentId != null) {
        const agent = isId(input.agentId)
          ? await tx.db.agent.findFirst({ where: { id: input.agentId }, select: { id: true } })
          : null
        if (!agent) fail('NOT_FOUND', { path: 'input.agentId' })
      }
      if (!(await holdDataKey(tx.sql, organizationId, dataKey))) return undefined
      const [row] = await tx.sql<CredentialRow>(
        `insert into credential
           (organization_id, id, name, kind, agent_id, provider, origins, data_key_id, nonce, ciphertext, last_four)
         values ($1::uuid, $2::uuid, $3, $4, $5::uuid, $6, $7::text[], $8::uuid, decode($9, 'base64'), decode($10, 'base64'), $11)
         on conflict (organization_id, name) do nothing returning ${CREDENTIAL_COLUMNS}`,
        organizationId,
        id,
        input.name,
        input.kind ?? 'API_KEY',
        input.agentId ?? null,
        input.provider ?? null,
        input.origins ?? [],
        dataKey.id,
        nonce.toString('base64'),
        ciphertext.toString('base64'),
        lastFourOf(input.value),
      )
      if (!row) {
        fail('CONFLICT', {
          path: 'input.name',
          message: 'There is a credential of this name.',
          hint: 'rotateCredential gives it another value.',
        })
      }
      const data = { credentialId: id, name: input.name }
      await tx.appendEvent({ type: 'credential.set', subject: `credential/${id}`, data })
      return row
    })
  })
}

const ATTEMPTS = 3

/** Works with the tenant's data key, anew when it was rotated meanwhile: then the work answers undefined. */
export async function withDataKey<T>(
  services: CredentialServices,
  actor: Actor,
  work: (dataKey: DataKey) => Promise<T | undefined>,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const done = await work(await currentDataKey(services, actor))
    if (done !== undefined) return done
  }
  return fail('CONFLICT', { message: 'Its key is being rotated.', hint: 'Try again in a moment.' })
}

/** Whether the data key is still there; then it stays until the transaction ends. */
export async function holdDataKey(
  sql: <Row>(text: string, ...parameters: unknown[]) => Promise<Row[]>,
  organizationId: string,
  { id }: DataKey,
): Promise<boolean> {
  const rows = await sql(
    'select id from data_key where organization_id = $1::uuid and id = $2::uuid for key share',
    organizationId,
    id,
  )
  return rows.length === 1
}

/** The row's id has to be known before it is written: the value is sealed for it. */
function uuidV7(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
