import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSchema } from 'graphql'
import { Redis } from 'ioredis'
import { documentOf, doorsOf } from '../tenancy/operations.ts'
import { codesOf } from '../world/caller.ts'
import type { Platform } from './platform.ts'

/** As it is, and as the encodings that somebody who looks for it would try. */
const formsOf = (value: string): string[] => [
  value,
  Buffer.from(value).toString('hex'),
  Buffer.from(value).toString('base64').replace(/=+$/, '').slice(0, -1),
  Buffer.from(value).toString('base64url').slice(0, -1),
]

/** Which of the values a text holds. */
const heldBy = (text: string, values: readonly string[]): string[] =>
  values.filter((value) => formsOf(value).some((form) => text.includes(form)))

/** What was looked at, and where a value was found. */
export interface Search {
  looked: number
  found: string[]
}

function searched(places: Iterable<readonly [string, string]>, values: readonly string[]): Search {
  const found: string[] = []
  let looked = 0
  for (const [place, text] of places) {
    looked += 1
    if (heldBy(text, values).length > 0) found.push(place)
  }
  return { looked, found }
}

/** Texts, each a place of its own. */
export const searchTexts = (texts: readonly string[], values: readonly string[]): Search =>
  searched(
    texts.map((text): [string, string] => [text, text]),
    values,
  )

/** Every row of every table of the database, the queue's and the log's partitions too; bytes as hex. */
export async function searchTables(platform: Platform, values: readonly string[]): Promise<Search> {
  const tables = await platform.sql<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`,
  )
  const places: [string, string][] = []
  for (const { name } of tables) {
    const rows = await platform.sql<{ row: string }>(`select to_jsonb(t)::text as row from ${name} t`)
    places.push([name, rows.map(({ row }) => row).join('\n')])
  }
  return searched(places, values)
}

/** Every file that the platform wrote, and what its supervisor said. */
export function searchFiles({ directory, said }: Platform, values: readonly string[]): Search {
  const paths = globSync('**/*', { cwd: directory, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return searched(
    [
      ...paths.map((path): [string, string] => [path, readFileSync(path, 'latin1')]),
      ['the supervisor', said.join('\n')],
    ],
    values,
  )
}

const DUMP = `
  local said = {}
  for _, key in ipairs(redis.call('keys', '*')) do
    local kind = redis.call('type', key).ok
    local held = ''
    if kind == 'string' then held = redis.call('get', key)
    elseif kind == 'list' then held = redis.call('lrange', key, 0, -1)
    elseif kind == 'hash' then held = redis.call('hgetall', key)
    elseif kind == 'set' then held = redis.call('smembers', key)
    elseif kind == 'zset' then held = redis.call('zrange', key, 0, -1)
    elseif kind == 'stream' then held = redis.call('xrange', key, '-', '+') end
    said[#said + 1] = key .. ' ' .. cjson.encode(held)
  end
  return said`

/** Every key of a Redis. */
export async function searchRedis(url: string, values: readonly string[]): Promise<Search> {
  const redis = new Redis(url)
  try {
    const said: unknown = await redis.eval(DUMP, 0)
    if (!Array.isArray(said)) throw new Error('Redis said nothing.')
    return searched(
      said.map((line, index): [string, string] => [`key ${index}`, String(line)]),
      values,
    )
  } finally {
    redis.disconnect()
  }
}

const schema = buildSchema(
  readFileSync(fileURLToPath(import.meta.resolve('@tutti/schema/api.graphql')), 'utf8'),
)

/** What an administrator is answered by every query that needs no argument, and by those that go by run or task. */
export async function searchAnswers(
  platform: Platform,
  values: readonly string[],
  ids: { runs: readonly string[]; tasks: readonly string[] },
): Promise<Search> {
  const admin = platform.as('admin')
  const places: [string, string][] = []
  const ask = async (query: string, variables: Record<string, unknown>): Promise<void> => {
    const answer = await admin.send(query, variables)
    // What wants one of several arguments says so: an answer like any other.
    if (!answer.body.data && !codesOf(answer).includes('BAD_INPUT'))
      throw new Error(`${query}\n${answer.text}`)
    places.push([query.slice(0, 200), answer.text])
  }
  for (const door of doorsOf(schema)) {
    if (door.operation !== 'query') continue
    const required = door.field.args.filter(({ type }) => String(type).endsWith('!'))
    const { name } = door.field
    if (door.host === undefined && required.length === 0) await ask(documentOf(door, {}), {})
    const hosts = { run: ids.runs, task: ids.tasks }[door.host ?? name] ?? []
    if (required.some((each) => each.name !== 'id')) continue
    for (const id of hosts) {
      if (door.host !== undefined) await ask(documentOf(door, {}), { hostId: id })
      else if (required.length > 0) await ask(documentOf(door, { id }), { id })
    }
  }
  return searched(places, values)
}
