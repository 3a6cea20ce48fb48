import { z } from 'zod'
import { connectorName } from '../connectors/connector-name.ts'
import { BUILTIN_FUNCTIONS } from './builtin-functions.ts'
import { commandProblem } from './command-problem.ts'
import { credentialName } from './credential-name.ts'
import { executorUrlProblem } from './executor-url.ts'
import { governs } from './governs.ts'
import { modelExecutor } from './model-executor.ts'

const NAME = /^[\p{L}\p{N}][\p{L}\p{N} _.:-]*$/u
const TYPE = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/
const VERSION = /^[\p{L}\p{N}][\p{L}\p{N}.+_-]*$/u
const CRON_FIELD = /^[0-9A-Za-z*?/,#-]+$/

const name = z
  .string()
  .max(100)
  .regex(NAME, 'Letters, digits, blanks and _ . : - only, a letter or digit first.')
const names = z.array(name).max(200).default([])
const settings = z.record(z.string(), z.unknown()).default({})

const cron = z
  .string()
  .max(200)
  .refine((text) => {
    const fields = text.trim().split(/\s+/)
    return fields.length === 5 && fields.every((field) => CRON_FIELD.test(field))
  }, 'A schedule has five fields: minute, hour, day of month, month, day of week, as "0 9 * * *".')

/** How far answers of models may be kept, to be given again. */
export const cacheLevel = z.enum(['off', 'memory', 'redis', 'database'])

const trigger = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('schedule'), expression: cron }),
  z.strictObject({ type: z.literal('webhook'), source: name }),
  z.strictObject({ type: z.literal('event'), event_type: name }),
])

/** A URL that an executor may call. */
export const executorUrl = z
  .string()
  .max(2_000)
  .superRefine((text, context) => {
    const problem = executorUrlProblem(text, process.env['NODE_ENV'] === 'production')
    if (problem) context.addIssue({ code: 'custom', message: problem })
  })

const OWN_HEADERS =
  /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|keep-alive|expect|idempotency-key|webhook-.*|proxy-.*|traceparent|tracestate)$/

/** The credential that an HTTP agent is called with; `scheme` stands before it, and an empty one leaves it alone. */
export const executorAuthorization = z
  .strictObject({
    credential: credentialName,
    header: z
      .string()
      .max(100)
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'The name of an HTTP header, as authorization.')
      .transform((text) => text.toLowerCase())
      .refine((text) => !OWN_HEADERS.test(text), 'This header is set by the call itself.')
      .default('authorization'),
    scheme: z
      .string()
      .regex(/^[A-Za-z0-9-]{0,50}$/, 'One word, as Bearer; empty for none.')
      .optional(),
  })
  .transform((given) => ({
    ...given,
    scheme: given.scheme ?? (given.header === 'authorization' ? 'Bearer' : ''),
  }))

/** An argument of a tool: what `from` names in the task's input, or the value as it stands. */
const toolArguments = z
  .record(
    z.string().min(1).max(200),
    z.union([z.strictObject({ from: z.string().min(1).max(500) }), z.unknown()]),
  )
  .optional()

const mcp = z
  .strictObject({
    type: z.literal('mcp'),
    url: executorUrl.optional(),
    command: z.string().min(1).max(1_000).optional(),
    args: z.array(z.string().max(2_000)).max(100).optional(),
    tool: z.string().min(1).max(200),
    arguments: toolArguments,
    authorization: executorAuthorization.optional(),
    settings,
  })
  .superRefine(({ url: at, command, args, authorization: sent }, context) => {
    const mistake = (message: string, ...path: string[]) =>
      context.addIssue({ code: 'custom', message, path })
    if ((at === undefined) === (command === undefined))
      mistake('An MCP server has either a url or a command.')
    if (args && command === undefined) mistake('Only a command has args.', 'args')
    if (sent && at === undefined) mistake('Only a url is called with a credential.', 'authorization')
    const problem = command === undefined ? undefined : commandProblem(command, args ?? [])
    if (problem) mistake(problem, 'command')
  })

const executor = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('builtin'), function: z.enum(BUILTIN_FUNCTIONS), settings }),
  z.strictObject({
    type: z.literal('http'),
    url: executorUrl,
    authorization: executorAuthorization.optional(),
    settings,
  }),
  mcp,
  z.strictObject({
    type: z.literal('a2a'),
    url: executorUrl,
    message: z.string().min(1).max(500).optional(),
    authorization: executorAuthorization.optional(),
    settings,
  }),
  z.strictObject({
    type: z.literal('connector'),
    connector: connectorName,
    tool: z.string().min(1).max(200).optional(),
    arguments: toolArguments,
    settings,
  }),
  z.strictObject({ type: z.literal('model'), ...modelExecutor.shape, settings }),
  z.strictObject({ type: z.literal('person'), settings }),
  z.strictObject({ type: z.literal('external'), settings }),
])

/**
 * The seed's `agent_config_schema`, and our keys `executor` and `governs`. Memory is in megabytes, `cpu_cores` counts whole cores.
 * Only `metadata` has to be there.
 */
export const configurationSchema = z
  .strictObject({
    metadata: z.strictObject({
      name,
      type: z
        .string()
        .max(100)
        .regex(TYPE, 'Small letters, digits and _, parted by dots, as marketing.social_media.'),
      version: z.string().max(50).regex(VERSION, 'Letters, digits and . + _ - only, as "1.2.0".'),
    }),
    capabilities: names,
    resource_requirements: z
      .strictObject({
        memory_mb: z.number().positive().max(1_048_576).optional(),
        cpu_cores: z.number().positive().max(1_024).optional(),
        storage_mb: z.number().positive().max(1_073_741_824).optional(),
        bandwidth_mbps: z.number().positive().max(1_048_576).optional(),
        max_concurrent_tasks: z.int().min(1).max(100_000).optional(),
      })
      .optional(),
    ai_models: z
      .strictObject({
        primary: z.string().min(1).max(200),
        fallback: z.string().min(1).max(200).optional(),
        cache: cacheLevel.optional(),
        /** By the name of a workflow's step. */
        cache_steps: z.record(z.string().min(1).max(200), cacheLevel).optional(),
      })
      .optional(),
    triggers: z.array(trigger).max(100).default([]),
    dependencies: names,
    outputs: names,
    executor: executor.optional(),
    governs: governs.optional(),
  })
  .superRefine(({ executor: how, ai_models: models }, context) => {
    if (how?.type === 'model' && !models)
      context.addIssue({
        code: 'custom',
        path: ['executor', 'type'],
        message: 'Which model? ai_models.primary names it.',
      })
  })

/** A configuration as an agent is registered with. */
export type AgentConfiguration = z.output<typeof configurationSchema>
