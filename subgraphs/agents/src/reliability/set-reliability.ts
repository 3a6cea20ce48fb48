import type { Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail, FAILURE_KINDS, RECOVERY_ACTIONS } from '@tutti/schema'
import { z } from 'zod'
import { breakerInMs, breakerInput } from '../breaker/breaker-settings.ts'
import { readReliability, type Reliability, type StoredReliability } from './reliability-settings.ts'

const seconds = z.number().min(0.1).max(86_400).nullish()
const count = z.int().min(1).max(1_000).nullish()
const SECOND_MS = 1_000

const inputSchema = z.object({
  agentId: z.string().nullish(),
  breaker: breakerInput.nullish(),
  health: z
    .object({
      path: z
        .string()
        .max(2_000)
        .regex(/^\/[\x21-\x7e]*$/, 'A path on the agent’s own host, as /health.')
        .nullish(),
      intervalSeconds: seconds,
      timeoutSeconds: seconds,
      unhealthyAfter: count,
      healthyAfter: count,
      syntheticInput: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
  recovery: z
    .array(
      z.object({
        kind: z.enum(FAILURE_KINDS),
        actions: z
          .array(z.enum(RECOVERY_ACTIONS))
          .min(1)
          .max(10)
          .refine(
            (actions) => actions.slice(0, -1).every((each) => each === 'restart' || each === 'fail_over'),
            'Degrading and escalating end the attempts: they can only be last.',
          ),
      }),
    )
    .max(FAILURE_KINDS.length)
    .refine(
      (list) => new Set(list.map(({ kind }) => kind)).size === list.length,
      'A kind of failure is named once.',
    )
    .nullish(),
  fallbackAnswer: z.unknown().optional(),
})

type Given = z.input<typeof inputSchema>

export type SetReliabilityRequest = Omit<Given, 'recovery' | 'health'> & {
  recovery?: readonly { kind: string; actions: readonly string[] }[] | null | undefined
  health?:
    | (Omit<NonNullable<Given['health']>, 'syntheticInput'> & { syntheticInput?: unknown })
    | null
    | undefined
}

/**
 * Says for one agent, or for all that nothing else is said of, when its breaker opens, how it is looked at, and what is
 * done when it fails. Each part that is given takes the place of that part; the others stay. BAD_INPUT with every
 * mistake, NOT_FOUND when there is no such agent. Events: reliability.changed.
 */
export async function setReliability(
  { database }: { database: Database },
  actor: Actor,
  request: SetReliabilityRequest,
): Promise<Reliability> {
  const { agentId = null, ...given } = parseInput(inputSchema, request)
  if (agentId !== null && !isId(agentId)) fail('NOT_FOUND', { path: 'input.agentId' })
  const id = agentId ?? actor.organizationId
  return database.inTenant(actor, async (tx) => {
    if (agentId !== null) {
      const agents = await tx.sql(
        'select id from agent where organization_id = $1::uuid and id = $2::uuid',
        actor.organizationId,
        agentId,
      )
      if (agents.length === 0) fail('NOT_FOUND', { path: 'input.agentId' })
    }
    const [row] = await tx.sql<{ settings: unknown }>(
      `insert into reliability_settings (organization_id, id, settings) values ($1::uuid, $2::uuid, $3::jsonb)
       on conflict (organization_id, id) do update
       set settings = reliability_settings.settings || excluded.settings, updated_at = now() returning settings`,
      actor.organizationId,
      id,
      JSON.stringify(storedOf(given)),
    )
    await tx.appendEvent({
      type: 'reliability.changed',
      subject: agentId === null ? 'reliability' : `agent/${agentId}`,
      data: { agentId },
    })
    return readReliability(row?.settings)
  })
}

/** Of an agent, or with null of the organization, as it is in force. NOT_FOUND is an empty answer: the defaults. */
export async function readReliabilityOf(
  { database }: { database: Database },
  actor: Actor,
  agentId: string | null,
): Promise<Reliability> {
  const ids = [actor.organizationId, ...(agentId !== null && isId(agentId) ? [agentId] : [])]
  const rows = await database.readTenant<{ id: string; settings: Record<string, unknown> }>(
    actor,
    'select id, settings from reliability_settings where organization_id = $1 and id = any($2::uuid[])',
    [actor.organizationId, ids],
  )
  const of = (id: string) => rows.find((row) => row.id === id)?.settings
  return readReliability({ ...of(actor.organizationId), ...(agentId === null ? {} : of(agentId)) })
}

function storedOf({
  breaker,
  health,
  recovery,
  fallbackAnswer,
}: Omit<z.output<typeof inputSchema>, 'agentId'>): StoredReliability {
  const inMs = (given: number | null | undefined) =>
    given == null ? undefined : Math.round(given * SECOND_MS)
  return {
    ...(breaker ? { breaker: breakerInMs(breaker) } : {}),
    ...(health
      ? {
          health: {
            path: health.path ?? undefined,
            intervalMs: inMs(health.intervalSeconds),
            timeoutMs: inMs(health.timeoutSeconds),
            unhealthyAfter: health.unhealthyAfter ?? undefined,
            healthyAfter: health.healthyAfter ?? undefined,
            syntheticInput: health.syntheticInput ?? undefined,
          },
        }
      : {}),
    ...(recovery ? { recovery: Object.fromEntries(recovery.map((each) => [each.kind, each.actions])) } : {}),
    ...(fallbackAnswer === undefined ? {} : { fallbackAnswer }),
  }
}
