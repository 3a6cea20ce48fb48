import type { Database } from '@tutti/prisma'
import type { EventRecord } from '@tutti/schema'
import { v7 as uuidv7 } from 'uuid'
import { eventFacts, namesOfEvent } from '../engine/event-facts.ts'
import { chunkBySize } from './chunk-by-size.ts'
import { insertFirings, type NewFiring } from './insert-firings.ts'
import { makeFiring } from './make-firing.ts'
import { storedExpression, type TriggerRow } from './trigger-row.ts'

/** So many event triggers may start each other in a row; the next is refused. */
export const MOST_IN_A_ROW = 10

interface Match {
  event: EventRecord
  trigger: TriggerRow
}

/**
 * Notes the firings of the triggers that an event meets: once for each event, however often it is handled. Answers with
 * whether there are any. Events: trigger.failed when triggers have started each other ten times in a row.
 */
export async function fireEventTriggers(
  database: Database,
  events: readonly { event: EventRecord; triggers: readonly TriggerRow[] }[],
): Promise<boolean> {
  const matches = events.flatMap(({ event, triggers }) => matchesOf(event, triggers))
  if (matches.length === 0) return false
  const depths = await depthsOf(database, matches)
  const firings = matches.map((match) => firingOf(match, depths.get(runOf(match.event) ?? '') ?? 0))
  for (const chunk of chunkBySize(firings, ({ input }) => input)) {
    await insertFirings(database.pool('worker'), chunk)
    database.announce()
  }
  return true
}

function matchesOf(event: EventRecord, triggers: readonly TriggerRow[]): Match[] {
  if (triggers.length === 0) return []
  const names = namesOfEvent(event)
  const called = triggers.filter(
    ({ eventType, activeFrom }) =>
      eventType !== null && names.includes(eventType) && event.time >= activeFrom,
  )
  if (called.length === 0) return []
  const facts = { event: eventFacts(event) }
  return called
    .filter(({ filter }) => {
      if (filter === null) return true
      // A field that this event does not have is an error of evaluation: the event is not meant.
      const outcome = storedExpression(filter, 'boolean').evaluate(facts)
      return outcome.ok && outcome.value === true
    })
    .map((trigger) => ({ event, trigger }))
}

function firingOf({ event, trigger }: Match, causes: number): NewFiring {
  const facts = eventFacts(event)
  const made = makeFiring(trigger, facts, `event:${event.id}`)
  const base = { organizationId: event.organizationId, id: uuidv7(), triggerId: trigger.id, dueAt: null }
  if (causes >= MOST_IN_A_ROW) {
    const message = `${MOST_IN_A_ROW} event triggers started each other in a row, up to ${facts.type}: a filter or another type of event would end it.`
    const error = { code: 'TRIGGER_CHAIN_TOO_LONG', message }
    return { ...base, occurrence: made.occurrence, status: 'failed', input: null, error, depth: causes }
  }
  return { ...base, status: made.error === null ? 'pending' : 'failed', ...made, depth: causes + 1 }
}

/** The run that an event tells of or came of. */
function runOf({ data }: EventRecord): string | null {
  return 'runId' in data && typeof data.runId === 'string' ? data.runId : null
}

/** How many event triggers in a row led to each run, or to the one whose sub-workflow it is. */
async function depthsOf(database: Database, matches: readonly Match[]): Promise<Map<string, number>> {
  const runs = new Map(
    matches.flatMap(({ event }) => {
      const id = runOf(event)
      return id === null ? [] : [[id, event.organizationId]]
    }),
  )
  if (runs.size === 0) return new Map()
  const { rows } = await database.pool('worker').query<{ start: string; depth: number }>({
    name: 'trigger-depths',
    text: `with recursive line(start, o, id, parent) as (
         select r.id, r.organization_id, r.id, r.parent_run_id from unnest($1::uuid[], $2::uuid[]) as x(o, id)
         join run r on r.id = x.id and r.organization_id is not distinct from x.o
         union all
         select l.start, r.organization_id, r.id, r.parent_run_id from line l
         join run r on r.id = l.parent and r.organization_id is not distinct from l.o
       )
       select l.start, max(f.depth) as depth from line l
       join trigger_firing f on f.run_id = l.id and f.organization_id is not distinct from l.o group by l.start`,
    values: [[...runs.values()], [...runs.keys()]],
  })
  return new Map(rows.map(({ start, depth }) => [start, depth]))
}
