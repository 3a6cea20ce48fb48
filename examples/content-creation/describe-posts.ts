import type { PostOutcome } from './collect-posts.ts'

const score = (value: number | undefined): string => value?.toFixed(2) ?? '–'

/** The outcomes as text for a terminal, and where to go on. */
export function describePosts(outcomes: readonly PostOutcome[], url: string): string {
  const lines = outcomes.flatMap(
    ({ name, runId, ending, topic, text, quality, brand, detail, next = '' }) => [
      '',
      `${name}: ${ending}${detail ? ` (${detail})` : ''}`,
      `  ${text || 'no post'}`,
      `  trend ${topic || '–'}   quality ${score(quality)}   brand ${score(brand)}   run ${runId}`,
      `  next by schedule: ${next || '–'}`,
    ],
  )
  const [first] = outcomes.flatMap(({ approvalId }) => approvalId ?? [])
  if (!first) return [...lines, ''].join('\n')
  const input = JSON.stringify({ input: { id: first, decision: 'APPROVE' } })
  return [
    ...lines,
    '',
    `Decide in GraphiQL, tab "DecideAnEscalation", mutation DecideApproval (an approver's key):  ${url}`,
    `  variables ${input}`,
    '',
  ].join('\n')
}
