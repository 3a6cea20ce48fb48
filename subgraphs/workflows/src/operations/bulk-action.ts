import { parseInput } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { z } from 'zod'
import { isRunOver, type RunStatus } from '../engine/core/index.ts'
import { RUN_ACTIONS, type RunAction, type Suitability, suitability } from '../runs/control/control-runs.ts'
import { readFork } from '../runs/control/fork-run.ts'
import { readJson } from '../runs/control/read-json.ts'

/** Every act that can be done with many runs. */
export const BULK_ACTIONS = [...RUN_ACTIONS, 'signal', 'fork'] as const
export type BulkAction = (typeof BULK_ACTIONS)[number]

/** Whether an act needs nothing but a reason; such acts are done with many runs in one transaction. */
export const isRunAction = (action: BulkAction): action is RunAction =>
  RUN_ACTIONS.some((each) => each === action)

/** What an act would do to a run in this status, as far as that tells. */
export function bulkSuitability(action: BulkAction, status: RunStatus): Suitability {
  if (isRunAction(action)) return suitability(action, status)
  return action === 'signal' && isRunOver(status) ? 'refused' : 'acts'
}

const signalSchema = z.object({ name: z.string().min(1), payload: z.unknown().optional() })
const forkSchema = z.object({
  stepPath: z.string().nullish(),
  input: z.unknown().optional(),
  state: z.unknown().optional(),
  published: z.boolean().nullish(),
})

const cancelSchema = z.object({ compensate: z.literal(true) })

/** What a signal, a fork or a cancelling is to be; stored with the operation. */
export type BulkParams =
  | z.infer<typeof signalSchema>
  | z.infer<typeof forkSchema>
  | z.infer<typeof cancelSchema>

/** Checks what an act needs beside the runs, and that it is given to no other. BAD_INPUT. */
export function readBulkParams(
  action: BulkAction,
  { signal, fork, compensate }: { signal?: unknown; fork?: unknown; compensate?: boolean | null | undefined },
): BulkParams | null {
  if (signal != null && action !== 'signal')
    fail('BAD_INPUT', { path: 'input.signal', message: `It is for SIGNAL.` })
  if (fork != null && action !== 'fork') fail('BAD_INPUT', { path: 'input.fork', message: `It is for FORK.` })
  if (compensate && action !== 'cancel')
    fail('BAD_INPUT', { path: 'input.compensate', message: `It is for CANCEL.` })
  if (compensate) return { compensate: true }
  if (action === 'signal') {
    if (signal == null) return fail('BAD_INPUT', { path: 'input.signal', message: 'Say which signal.' })
    const params = parseInput(signalSchema, signal, 'input.signal')
    readJson(params, 'input.signal')
    return params
  }
  if (action !== 'fork') return null
  const params = parseInput(forkSchema, fork ?? {}, 'input.fork')
  readFork(params, 'input.fork')
  return params
}

/** The signal of an operation, as it was stored. */
export const signalOf = (params: unknown): z.infer<typeof signalSchema> => signalSchema.parse(params)
/** The fork of an operation, as it was stored. */
export const forkOf = (params: unknown): z.infer<typeof forkSchema> => forkSchema.parse(params)
/** Whether an operation undoes what completed before it cancels, as it was stored. */
export const compensates = (params: unknown): boolean => cancelSchema.safeParse(params).success
