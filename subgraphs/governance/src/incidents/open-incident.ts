import { parseInput } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import type { DomainServices } from '../context.ts'
import { line, optionalId, prose } from '../input/text.ts'
import type { IncidentRow } from './incident-row.ts'
import { IMPACTS } from './severity.ts'
import { writeIncident } from './write-incident.ts'

const inputSchema = z.object({
  title: line(),
  description: prose(),
  impact: z.string().toLowerCase().pipe(z.enum(IMPACTS)),
  workaround: z.boolean().nullish(),
  workflowId: optionalId(),
  teamId: optionalId(),
})

/** Opens an incident by hand. Events: incident.opened. BAD_INPUT with all mistakes. */
export async function openIncident(
  { database }: DomainServices,
  actor: Actor,
  input: unknown,
): Promise<IncidentRow> {
  const parsed = parseInput(inputSchema, input)
  return database.inTenant(actor, async (tx) => {
    const opened = await writeIncident(tx, {
      ...parsed,
      workaround: parsed.workaround ?? false,
      workflowId: parsed.workflowId ?? null,
      teamId: parsed.teamId ?? null,
      cause: null,
      anomalyId: null,
    })
    if (!opened) throw new Error('An incident without a cause met one with the same.')
    return opened
  })
}
