import type { TenantTransaction } from '@tutti/prisma'
import type { WorkflowDefinition } from '../definitions/index.ts'
import type { LimitRule } from './limit-rule.ts'
import { replaceLimits } from './replace-limits.ts'

/** The limits that a definition's `concurrency` asks for: of its runs under way, in all or for each value of its key. */
export function limitsOfDefinition(
  workflow: { id: string; name: string },
  { concurrency }: Pick<WorkflowDefinition, 'concurrency'>,
): LimitRule[] {
  if (!concurrency) return []
  return [
    {
      name: workflow.name,
      scope: 'workflow',
      subject: workflow.id,
      counts: 'runs',
      perKey: concurrency.key ?? null,
      maxRunning: concurrency.max,
      rate: null,
      maxCostUsd: null,
    },
  ]
}

/** Puts the limits of a workflow's published version in force, in the place of those of the version before. */
export function applyDefinitionLimits(
  tx: Pick<TenantTransaction, 'sql' | 'actor'>,
  workflow: { id: string; name: string },
  definition: Pick<WorkflowDefinition, 'concurrency'>,
): Promise<void> {
  return replaceLimits(
    tx,
    { source: 'definition', subject: workflow.id },
    limitsOfDefinition(workflow, definition),
  )
}
