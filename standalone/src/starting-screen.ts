import { relative, resolve } from 'node:path'

/** What the screen of a Tutti that runs says. */
export interface Whereabouts {
  /** `host:port` of the door. */
  readonly authority: string
  readonly directory: string
  /** Role → API key, only on the start that made them. */
  readonly keys?: Record<string, string>
  readonly keysFile: string
  /** False when that file is gone: keys are stored as hashes and cannot be shown again. */
  readonly keysKept: boolean
  /** Where the data is: a directory, or the host of a server of yours. */
  readonly database: string
  /** Their names. */
  readonly processes: readonly string[]
  /** Seconds it took. */
  readonly seconds: number
}

/** The one screen that says where things are. Keys are on it once: on the start that made them. */
export function startingScreen(at: Whereabouts): string {
  const usual = at.directory === resolve('.tutti')
  const elsewhere = usual ? '' : `TUTTI_DIRECTORY=${shortest(at.directory)} `
  const { authority } = at
  const width = Math.max(0, ...Object.keys(at.keys ?? {}).map((role) => role.length))
  return [
    '',
    `  Tutti is ready (${at.seconds.toFixed(1)} s)`,
    '',
    `  GraphiQL        http://${authority}/graphql   (open it in a browser; clients POST to it)`,
    `  WebSocket       ws://${authority}/graphql     (graphql-ws)`,
    `  Server-sent     http://${authority}/graphql/stream`,
    `  Health          http://${authority}/health    http://${authority}/ready`,
    `  Data            ${at.database}`,
    `  Logs            ${at.directory}/log/`,
    `  Processes       ${at.processes.join(', ')}`,
    '',
    ...(at.keys === undefined
      ? [
          at.keysKept
            ? `  API keys        in ${at.keysFile} (made at the first start)`
            : `  API keys        were printed at the first start; ${at.keysFile} is gone. An administrator makes new ones (createApiKey).`,
        ]
      : [
          `  API keys of the development organization, printed this once and kept in ${at.keysFile}:`,
          '',
          ...Object.entries(at.keys).map(([role, key]) => `    ${role.padEnd(width)}  ${key}`),
        ]),
    '',
    `  Next            ${elsewhere}npm run example -- customer-service     (in a second terminal)`,
    '  Stop            Ctrl-C',
    '',
  ].join('\n')
}

function shortest(directory: string): string {
  const fromHere = relative('', directory)
  return fromHere.startsWith('..') ? directory : fromHere
}
