import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { jsonObject } from '../input/json-value.ts'
import { line, prose } from '../input/text.ts'
import type { AuditEntryRow } from './audit-entry-row.ts'
import { writeGivenEntry } from './write-audit-entry.ts'

const inputSchema = z.object({
  actionType: z.enum(['decision', 'execution', 'escalation'], {
    error: 'One of decision, execution, escalation.',
  }),
  domain: line(),
  summary: prose(),
  details: jsonObject(),
  classification: z
    .enum(['public', 'internal', 'sensitive'], { error: 'One of public, internal, sensitive.' })
    .nullish(),
  significance: z
    .enum(['standard', 'significant', 'compliance'], { error: 'One of standard, significant, compliance.' })
    .nullish(),
  subject: line(),
  dataSubject: line().nullish(),
  relatedTasks: z.array(line()).max(100, 'At most 100 tasks.').nullish(),
})

export type AppendAuditEntryInput = z.input<typeof inputSchema>

/** Appends an entry; who did it is the caller, whatever the input says. BAD_INPUT with all mistakes. */
export async function appendAuditEntry(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<AuditEntryRow> {
  const { classification, significance, relatedTasks, dataSubject, ...entry } = parseInput(inputSchema, input)
  return database.inTenant(actor, (tx) =>
    writeGivenEntry(tx, {
      ...entry,
      ...(classification ? { classification } : {}),
      ...(significance ? { significance } : {}),
      ...(dataSubject ? { dataSubject } : {}),
      outcome: wordOf(entry.details['outcome']),
      relatedTasks: relatedTasks ?? [],
    }),
  )
}

/** Prose may say something of somebody, and a word of how it ended does not. */
const wordOf = (outcome: unknown): string | null =>
  typeof outcome === 'string' && /^[\w-]{1,64}$/.test(outcome) ? outcome : null
