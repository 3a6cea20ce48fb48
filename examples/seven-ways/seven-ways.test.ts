import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { readArguments } from './arguments.ts'
import { describeWays } from './describe-ways.ts'
import { readDocument } from './read-document.ts'
import type { RunSeen } from './run-messages.ts'
import { WAYS } from './ways.ts'

const VALUES = {
  MODEL: 'a/b',
  HTTP_AGENT: 'http://127.0.0.1:1/',
  MCP_SERVER: 'http://127.0.0.1:2/',
  A2A_AGENT: 'http://127.0.0.1:3/',
}

test('the documents differ in their executor alone', () => {
  const documents = WAYS.map((way): Record<string, unknown> => parse(readDocument(way, VALUES)))
  const [first, ...others] = documents.map(({ executor: _, ...rest }) => rest)
  for (const each of others) expect(each).toEqual(first)
  expect(documents.map(({ executor }) => executor)).toMatchObject(WAYS.map((type) => ({ type })))
})

test('a name in a document that has no value stays, and is seen', () => {
  expect(parse(readDocument('http', {}))).toMatchObject({ executor: { url: '$HTTP_AGENT' } })
})

test('all ways are run unless some are named, in their own order', () => {
  expect(readArguments([])).toMatchObject({ ways: WAYS, byHand: false, model: undefined })
  expect(readArguments(['--way', 'person', '--way', 'http', '--by-hand'])).toMatchObject({
    ways: ['http', 'person'],
    byHand: true,
  })
})

test.each([
  [['--way', 'grpc'], '--way: there is no "grpc". There is: builtin, http,'],
  [['--model', ''], '--model: it is empty'],
  [['http'], "Unexpected argument 'http'"],
])('%j is refused with the reason', (args, reason) => {
  expect(() => readArguments(args)).toThrow(reason)
})

const run = (more: Partial<RunSeen>): RunSeen => ({
  id: '1',
  status: 'COMPLETED',
  state: { judgement: { label: 'angry', by: 'a model' }, label: 'angry' },
  costUsd: 0.002,
  createdAt: '2026-11-21T10:00:00.000Z',
  endedAt: '2026-11-21T10:00:00.040Z',
  error: null,
  approvals: [],
  tasks: [],
  ...more,
})

test('each way is a line', () => {
  const person = { judgement: { decision: 'approved', arguments: { label: 'neutral' } }, label: 'neutral' }
  const said = describeWays([
    { way: 'model', version: 5, runs: [run({}), run({ costUsd: 0.004 })] },
    { way: 'person', version: 6, runs: [run({ state: person, costUsd: 0 })] },
  ])
  expect(said.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['way', 'version', 'status', 'time a run', 'cost a run', 'labels', 'answered by'],
    ['model', '5', '2 completed', '40 ms', '$0.003000', 'angry angry', 'a model'],
    ['person', '6', '1 completed', '40 ms', '$0.000000', 'neutral', 'a person'],
  ])
})

test('a platform that calls no address of this machine is said how to be started', () => {
  const error = { code: 'AGENT_ADDRESS_REFUSED', message: 'It is not a public address.' }
  const failed = run({ status: 'FAILED', state: {}, error, tasks: [{ stepPath: 'judge', error }] })
  const said = describeWays([{ way: 'http', version: 2, runs: [failed, failed] }])
  expect(said).toMatch(/http +2 +2 failed/)
  expect(said.match(/AGENT_ADDRESS_REFUSED/g)).toHaveLength(1)
  expect(said).toContain('TUTTI_ALLOW_LOCAL_AGENTS=true npm start')
})
