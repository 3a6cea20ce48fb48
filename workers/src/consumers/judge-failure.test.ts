import { once } from 'node:events'
import { createConnection } from 'node:net'
import { TuttiError } from '@tutti/schema'
import { expect, test } from 'vitest'
import { judgeFailure, tellFailure } from './judge-failure.ts'

const sql = (code: string, message = 'x') => Object.assign(new Error(message), { code })
/** As Prisma throws what the database said. */
const raw = (originalCode: string) =>
  Object.assign(new Error('Raw query failed.'), {
    code: 'P2010',
    meta: { driverAdapterError: { cause: { originalCode } } },
  })

test.each(['08006', '25006', '40001', '40P01', '53300', '55P03', '57P01', '58030'])(
  'SQLSTATE %s says nothing of the event',
  (code) => {
    expect(judgeFailure(sql(code))).toBe('passing')
    expect(judgeFailure(raw(code))).toBe('passing')
  },
)

test.each(['21000', '22P02', '22003', '23502', '23514', '54000'])(
  'SQLSTATE %s comes again each time',
  (code) => {
    expect(judgeFailure(sql(code))).toBe('final')
    expect(judgeFailure(raw(code))).toBe('final')
    expect(tellFailure(raw(code))).toEqual({ code: `SQLSTATE_${code}`, message: 'The database refuses it.' })
  },
)

test.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'P1001', 'P2024', 'P2034'])(
  '%s is a database out of reach',
  (code) => {
    expect(judgeFailure(sql(code))).toBe('passing')
  },
)

test('a socket that is not there is a database out of reach, and a file that is not there is something else', async () => {
  const socket = createConnection('/nowhere/.s.PGSQL.1')
  const [missing] = await once(socket, 'error')
  expect(judgeFailure(missing)).toBe('passing')
  expect(judgeFailure(sql('ENOENT'))).toBe('unknown')
})

test('connections that end without a code are out of reach too', () => {
  expect(judgeFailure(new Error('Connection terminated unexpectedly'))).toBe('passing')
  expect(judgeFailure(new Error('timeout exceeded when trying to connect'))).toBe('passing')
})

test('of anything else tries tell, also where its words sound like a connection that ended', () => {
  expect(judgeFailure(new Error('x is not a function'))).toBe('unknown')
  expect(judgeFailure(sql('42703', 'Connection terminated'))).toBe('unknown')
  expect(judgeFailure(sql('23505'))).toBe('unknown')
  expect(judgeFailure('thrown')).toBe('unknown')
})

test('an error of ours is final unless it is retryable or a conflict, and its mistakes are told', () => {
  expect(judgeFailure(new TuttiError('BAD_INPUT'))).toBe('final')
  expect(judgeFailure(new TuttiError('UNAVAILABLE'))).toBe('unknown')
  expect(judgeFailure(new TuttiError('CONFLICT'))).toBe('unknown')
  const problems = [{ code: 'custom', path: 'input.arguments', message: 'At most 256 KiB.' }]
  expect(tellFailure(new TuttiError('BAD_INPUT', { message: 'No.', problems }))).toEqual({
    code: 'BAD_INPUT',
    message: 'No. input.arguments: At most 256 KiB.',
  })
})
