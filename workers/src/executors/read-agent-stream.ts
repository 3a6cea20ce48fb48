import type { Dispatcher } from 'undici'
import { z } from 'zod'

/** What an agent says before its answer, a line of JSON each. */
export const lineSchema = z.union([
  z
    .object({
      progress: z.object({
        percent: z.number().nullish(),
        message: z.string().nullish(),
        data: z.unknown().optional(),
      }),
    })
    .strict(),
  z
    .object({
      log: z.object({
        level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
        message: z.string(),
        data: z.unknown().optional(),
      }),
    })
    .strict(),
  z.object({ heartbeat: z.literal(true) }).strict(),
])
/** One such line. */
export type Line = z.output<typeof lineSchema>

/** Whether an agent answers line by line: 2xx and `application/x-ndjson`. */
export function isStream({
  statusCode,
  headers,
}: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>): boolean {
  const type = String(headers['content-type'] ?? '')
  return statusCode >= 200 && statusCode <= 299 && /^application\/x-ndjson\s*(;|$)/i.test(type)
}

/** The lines of a body that are not empty, as they come; undefined, and the end, when one has more than `most` bytes. */
export async function* readLines(
  body: AsyncIterable<Buffer>,
  most: number,
): AsyncGenerator<string | undefined, void> {
  let parts: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    let rest = chunk
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      if (size + end > most) return yield undefined
      const line = Buffer.concat([...parts, rest.subarray(0, end)])
        .toString('utf8')
        .trim()
      parts = []
      size = 0
      rest = rest.subarray(end + 1)
      if (line !== '') yield line
    }
    size += rest.byteLength
    if (size > most) return yield undefined
    parts.push(rest)
  }
  const last = Buffer.concat(parts).toString('utf8').trim()
  if (last !== '') yield last
}
