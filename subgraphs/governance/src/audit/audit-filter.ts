import { type Actor, fail, type Problem } from '@tutti/schema'

/** Which entries of the audit trail: all that is given must fit. */
export interface AuditFilter {
  subject?: string | null | undefined
  actionType?: string | null | undefined
  /** The actor's id, or for whom it acted. */
  actor?: string | null | undefined
  domain?: string | null | undefined
  task?: string | null | undefined
  from?: Date | null | undefined
  /** Not included. */
  until?: Date | null | undefined
  /** Words, as PostgreSQL's `websearch_to_tsquery` reads them. */
  text?: string | null | undefined
  classification?: string | null | undefined
  significance?: string | null | undefined
}

/** Whether an actor is shown entries that are sensitive. */
export const maySeeSensitive = ({ scopes }: Actor): boolean => scopes.includes('audit:sensitive')

/** The condition of a statement over `audit_entry`, with the parameters $1 to $12 of {@link auditFilterValues}. */
export const AUDIT_FILTER = `organization_id = $1 and ($2 or classification <> 'sensitive')
  and ($3::text is null or subject = $3) and ($4::text is null or action_type = $4)
  and ($5::text is null or actor_id = $5 or on_behalf_of->>'id' = $5) and ($6::text is null or domain = $6)
  and ($7::text is null or $7 = any(related_tasks))
  and ($8::timestamptz is null or timestamp >= $8) and ($9::timestamptz is null or timestamp < $9)
  and ($10::text is null or classification = $10) and ($11::text is null or significance = $11)
  and ($12::text is null or coalesce(words, audit_words(summary, details, related_tasks)) @@ websearch_to_tsquery('simple', $12))`

/**
 * Characters that each may have. What a search of words costs grows with their square, and PostgreSQL takes no cancellation
 * meanwhile; a task's id is one word of it, of at most 2,047 bytes.
 */
const LONGEST = [
  ['subject', 1_000],
  ['actionType', 1_000],
  ['actor', 1_000],
  ['domain', 1_000],
  ['task', 200],
  ['text', 1_000],
  ['classification', 1_000],
  ['significance', 1_000],
] as const

/** The parameters of {@link AUDIT_FILTER}. BAD_INPUT, with the names alone as paths, of what is too long. */
export function auditFilterValues(actor: Actor, filter: AuditFilter): unknown[] {
  refuseTooLong(filter)
  const { subject, actionType, domain, task, from, until, text, classification, significance } = filter
  return [
    actor.organizationId,
    maySeeSensitive(actor),
    withoutNul(subject),
    withoutNul(actionType),
    withoutNul(filter.actor),
    withoutNul(domain),
    withoutNul(task),
    from ?? null,
    until ?? null,
    withoutNul(classification),
    withoutNul(significance),
    withoutNul(text),
  ]
}

function refuseTooLong(filter: AuditFilter): void {
  const problems: Problem[] = LONGEST.flatMap(([path, most]) =>
    (filter[path]?.length ?? 0) > most
      ? [{ code: 'too_big', path, message: `At most ${most} characters.` }]
      : [],
  )
  const [first] = problems
  if (first) fail('BAD_INPUT', { path: first.path ?? 'text', message: first.message, problems })
}

/** No entry holds a NUL, and PostgreSQL refuses to compare with one. */
const withoutNul = (filter: string | null | undefined): string | null =>
  filter?.replaceAll('\0', '\u{FFFD}') ?? null
