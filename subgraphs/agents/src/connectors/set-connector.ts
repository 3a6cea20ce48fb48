import { actorRecord, type Database, type TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail, type Problem } from '@tutti/schema'
import { z } from 'zod'
import { commandProblem } from '../configuration/command-problem.ts'
import { executorAuthorization, executorUrl } from '../configuration/configuration-schema.ts'
import { credentialName } from '../configuration/credential-name.ts'
import { CATEGORIES, knownConnector } from './catalogue.ts'
import { connectorName } from './connector-name.ts'
import { hashPath, newPath } from './connector-path.ts'
import { CONNECTOR_COLUMNS, type ConnectorOutbound, type ConnectorRow } from './connector-row.ts'
import { type Scheme, SCHEMES } from './verify-call.ts'

const authorization = z
  .object({ credential: z.string(), header: z.string().nullish(), scheme: z.string().nullish() })
  .transform(({ credential, header, scheme }) => ({
    credential,
    ...(header == null ? {} : { header }),
    ...(scheme == null ? {} : { scheme }),
  }))
  .pipe(executorAuthorization)
  .nullish()

const mcp = z
  .object({
    url: executorUrl.nullish(),
    command: z.string().min(1).max(1_000).nullish(),
    args: z.array(z.string().max(2_000)).max(100).nullish(),
    tool: z.string().min(1).max(200).nullish(),
    authorization,
  })
  .superRefine(({ url, command, args, authorization: sent }, context) => {
    const mistake = (message: string, ...path: string[]) =>
      context.addIssue({ code: 'custom', message, path })
    if ((url == null) === (command == null)) mistake('An MCP server has either a url or a command.')
    if (args != null && command == null) mistake('Only a command has args.', 'args')
    if (sent != null && url == null) mistake('Only a url is called with a credential.', 'authorization')
    const problem = command == null ? undefined : commandProblem(command, args ?? [])
    if (problem) mistake(problem, 'command')
  })

const inputSchema = z
  .object({
    name: connectorName,
    category: z.enum(CATEGORIES).nullish(),
    http: z.object({ url: executorUrl, authorization }).nullish(),
    mcp: mcp.nullish(),
    inbound: z
      .object({
        scheme: z.enum(SCHEMES).nullish(),
        credential: credentialName,
        verifyCredential: credentialName.nullish(),
        maxPerMinute: z.int().min(1).max(100_000).nullish(),
      })
      .nullish(),
    newPath: z.boolean().nullish(),
  })
  .superRefine(({ name, http, mcp: tool, inbound }, context) => {
    const mistake = (message: string, ...path: string[]) =>
      context.addIssue({ code: 'custom', message, path })
    if (http != null && tool != null) mistake('It is called over http or as an MCP server, not both.', 'mcp')
    if (inbound?.verifyCredential != null && schemeOf(name, inbound.scheme) !== 'meta')
      mistake('Only Meta’s challenges have a token.', 'inbound', 'verifyCredential')
  })

type Input = z.output<typeof inputSchema>

const schemeOf = (name: string, given: Scheme | null | undefined): Scheme =>
  given ?? knownConnector(name)?.scheme ?? 'standard_webhooks'

/** What a connector is called by, and at which path it calls. */
export interface SetConnector {
  connector: ConnectorRow
  /** As `/connectors/…`, when it is new: it is shown once. */
  path: string | null
}

/**
 * Binds a name to how it is called and how its calls are verified, in place of what was said of it before. Events:
 * connector.set. BAD_INPUT with every mistake; NOT_FOUND for credentials that are not there or are an agent's or a provider's.
 */
export async function setConnector(
  { database }: { database: Database },
  actor: Actor,
  request: unknown,
): Promise<SetConnector> {
  const input = parseInput(inputSchema, request)
  const { name, inbound } = input
  return database.inTenant(actor, async (tx) => {
    await requireCredentials(tx, input)
    const [before] = await tx.sql<{ hash: string | null }>(
      `select path_hash as hash from connector where organization_id = $1::uuid and name = $2 for update`,
      actor.organizationId,
      name,
    )
    const path = inbound != null && (!before?.hash || input.newPath === true) ? newPath() : null
    const [connector] = await tx.sql<ConnectorRow>(
      `insert into connector (organization_id, name, category, outbound, scheme, credential, verify_credential, path_hash, updated_by,
         max_per_minute)
       values ($1::uuid, $2, $3, $4::jsonb, $5, $6, $7, $8, $9::jsonb, $10)
       on conflict (organization_id, name) do update set category = excluded.category, outbound = excluded.outbound,
         scheme = excluded.scheme, credential = excluded.credential, verify_credential = excluded.verify_credential,
         path_hash = case when excluded.scheme is null then null else coalesce(excluded.path_hash, connector.path_hash) end,
         max_per_minute = excluded.max_per_minute, tokens = case when connector.max_per_minute
           is distinct from excluded.max_per_minute then null else connector.tokens end,
         updated_by = excluded.updated_by, updated_at = now()
       returning ${CONNECTOR_COLUMNS}`,
      actor.organizationId,
      name,
      input.category ?? knownConnector(name)?.category ?? 'core',
      outboundOf(input),
      inbound == null ? null : schemeOf(name, inbound.scheme),
      inbound?.credential ?? null,
      inbound?.verifyCredential ?? null,
      path === null ? null : hashPath(path),
      JSON.stringify(actorRecord(actor)),
      inbound?.maxPerMinute ?? null,
    )
    if (!connector) return fail('INTERNAL')
    const data = { connectorId: connector.id, name }
    await tx.appendEvent({ type: 'connector.set', subject: `connector/${connector.id}`, data })
    return { connector, path: path === null ? null : `/connectors/${path}` }
  })
}

/** As JSON; null where it is not called. */
function outboundOf({ http, mcp: server }: Input): string | null {
  const given = http ?? server
  if (!given) return null
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value != null))
  return JSON.stringify({ type: http ? 'http' : 'mcp', ...said } satisfies Partial<ConnectorOutbound>)
}

/** A connector is everybody's: a credential that is one agent's or a provider's is none for it. */
async function requireCredentials(
  tx: TenantTransaction,
  { http, mcp: server, inbound }: Input,
): Promise<void> {
  const named = [
    ['http.authorization.credential', http?.authorization?.credential],
    ['mcp.authorization.credential', server?.authorization?.credential],
    ['inbound.credential', inbound?.credential],
    ['inbound.verifyCredential', inbound?.verifyCredential],
  ] as const
  const names = named.flatMap(([, name]) => name ?? [])
  const found = await tx.sql<{ name: string }>(
    `select name from credential where organization_id = $1::uuid and name = any($2::text[])
     and agent_id is null and provider is null`,
    tx.actor.organizationId,
    names,
  )
  const there = new Set(found.map(({ name }) => name))
  const problems = named.flatMap(([path, name]): Problem[] =>
    name == null || there.has(name)
      ? []
      : [
          {
            code: 'NOT_FOUND',
            path: `input.${path}`,
            message: `There is no credential "${name}" that a connector may use.`,
            hint: 'setCredential stores one, without agentId and provider.',
          },
        ],
  )
  const [first] = problems
  if (first) fail('NOT_FOUND', { path: first.path ?? 'input', message: first.message, problems })
}
