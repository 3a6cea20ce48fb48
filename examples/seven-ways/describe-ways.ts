import type { RunSeen } from './run-messages.ts'
import type { Way } from './ways.ts'

/** What came of one way. */
export interface WayOutcome {
  way: Way
  /** Number of the agent's version. */
  version: number
  runs: readonly RunSeen[]
}

const HEADER = ['way', 'version', 'status', 'time a run', 'cost a run', 'labels', 'answered by']
/** Of agents, and of a provider's credential. */
const ADDRESS_REFUSED = ['AGENT_ADDRESS_REFUSED', 'CREDENTIAL_REFUSED']

/** Whether every run of a way was completed. */
export const isCompleted = ({ runs }: WayOutcome): boolean =>
  runs.every(({ status }) => status === 'COMPLETED')

/** One line a way, in columns; then what was wrong, and what to do about it. */
export function describeWays(outcomes: readonly WayOutcome[]): string {
  const rows = [HEADER, ...outcomes.map(rowOf)]
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const table = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...table, ...problemsOf(outcomes)].join('\n')
}

function rowOf({ way, version, runs }: WayOutcome): string[] {
  const counts = Map.groupBy(runs, ({ status }) => status.toLowerCase())
  const mean = (values: readonly number[]) =>
    values.reduce((sum, each) => sum + each, 0) / (values.length || 1)
  const times = runs.flatMap(({ createdAt, endedAt }) =>
    endedAt === null ? [] : [Date.parse(endedAt) - Date.parse(createdAt)],
  )
  return [
    way,
    String(version),
    [...counts].map(([status, { length }]) => `${length} ${status}`).join(', '),
    times.length === 0 ? '-' : `${Math.round(mean(times))} ms`,
    `$${mean(runs.map(({ costUsd }) => costUsd)).toFixed(6)}`,
    runs.map(({ state }) => (typeof state.label === 'string' ? state.label : '-')).join(' '),
    [...new Set(runs.map(answererOf))].join(', '),
  ]
}

/** Who judged, by what the judgement says. */
function answererOf({ state: { judgement } }: RunSeen): string {
  if (typeof judgement !== 'object' || judgement === null) return '-'
  if ('by' in judgement) return String(judgement.by)
  return 'decision' in judgement ? 'a person' : 'a built-in function'
}

function problemsOf(outcomes: readonly WayOutcome[]): string[] {
  const errors = outcomes.flatMap(({ way, runs }) =>
    runs.flatMap(({ error, tasks }) => {
      const [failure] = [...tasks.flatMap((task) => task.error ?? []), ...(error ? [error] : [])]
      return failure ? [{ way, ...failure }] : []
    }),
  )
  const lines = new Set(errors.map(({ way, code, message }) => `${way}: ${code}: ${message}`))
  const isRefused = errors.some(({ code }) => ADDRESS_REFUSED.includes(code))
  return [
    ...(lines.size > 0 ? ['', ...lines] : []),
    ...(isRefused
      ? [
          '',
          "The servers of this example are on this machine, and the platform's workers call no such address unless they are told to:",
          '',
          '  TUTTI_ALLOW_LOCAL_AGENTS=true npm start',
        ]
      : []),
  ]
}
