import { TuttiError, type Problem } from '@tutti/schema'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { givenConfiguration } from './given-configuration.ts'
import { agentGoverns } from './governs.ts'
import { readConfiguration } from './read-configuration.ts'

const readDocument = (document: string) => readConfiguration(givenConfiguration({ document }))

const SEED = `agent_config_schema:
  metadata:
    name: string              # "Social Media Agent"
    type: string              # "marketing.social_media"
    version: string           # "1.2.0"

  capabilities:
    - content_generation
    - scheduling

  resource_requirements:
    memory_mb: 512
    cpu_cores: 0.5
    max_concurrent_tasks: 10

  ai_models:
    primary: "gpt-4-turbo"
    fallback: "gpt-3.5-turbo"

  triggers:
    - type: schedule
      expression: "0 9 * * *"  # Daily at 9 AM
    - type: webhook
      source: "instagram"
    - type: event
      event_type: "content_approval_needed"

  dependencies:
    - knowledge_base_agent

  outputs:
    - social_media_posts
`

function problemsIn(document: string): readonly Problem[] {
  try {
    readDocument(document)
  } catch (error) {
    if (error instanceof TuttiError && error.code === 'INVALID_DOCUMENT') return error.problems
    throw error
  }
  return []
}
const metadata = 'metadata: {name: a, type: b, version: "1"}\n'

test("the specification's document is accepted as it stands", () => {
  const read = readDocument(SEED)
  expect(read.metadata).toEqual({ name: 'string', type: 'string', version: 'string' })
  expect(read.triggers).toHaveLength(3)
})

test('every mistake is told at once, each with its place', () => {
  const document = `metadata:
  name: writer
  typ: marketing
  version: 1.2
resource_requirements:
  memory_mb: 512MB
  cores: 2
triggers:
  - type: schedule
    expression: daily
  - type: pigeon
executor:
  type: http
  url: http://example.com/x
`
  expect(
    problemsIn(document)
      .map(({ code, path, line }) => `${line} ${code} ${path}`)
      .sort(),
  ).toEqual(
    [
      '3 unknown_key metadata.typ',
      '2 missing_key metadata.type',
      '4 wrong_type metadata.version',
      '6 wrong_type resource_requirements.memory_mb',
      '7 unknown_key resource_requirements.cores',
      '10 invalid_value triggers.0.expression',
      '11 invalid_value triggers.1.type',
      '14 invalid_value executor.url',
    ].sort(),
  )
  const typ = problemsIn(document).find(({ path }) => path === 'metadata.typ')
  expect(typ?.hint).toBe('Did you mean "type"?')
})

test('what an agent does that not everybody may is said as a step says it', () => {
  const read = (governs: string) => readDocument(`${metadata}governs: ${governs}`).governs
  expect(readDocument(metadata).governs).toBeUndefined()
  expect(read('money.spend')).toEqual({ action: 'money.spend' })
  const said = '{action: money.spend, amount: order.total, risk: high, classification: kind, '
  const asked = read(`${said} deadline_seconds: 60, on_deadline: reject, arguments_schema: {type: object}}`)
  expect(agentGoverns.parse(asked)).toEqual({
    action: 'money.spend',
    amount: { path: ['order', 'total'] },
    risk: { value: 'high' },
    classification: { path: ['kind'] },
    deadline: { ms: 60_000, rule: 'reject' },
    argumentsSchema: { type: 'object' },
  })
  const mistakes = (governs: string) =>
    problemsIn(`${metadata}governs: ${governs}`).map((each) => [each.code, each.path])
  expect(mistakes('money.sepnd')).toEqual([['invalid_value', 'governs']])
  expect(mistakes('{amount: -1, risks: high}')).toEqual([
    ['missing_key', 'governs.action'],
    ['out_of_range', 'governs.amount'],
    ['unknown_key', 'governs.risks'],
  ])
  expect(mistakes('{action: money.spend, on_deadline: reject, arguments_schema: {type: car}}')).toEqual([
    ['invalid_value', 'governs.arguments_schema'],
    ['missing_key', 'governs.deadline_seconds'],
  ])
})

test('the path of a wrapped document begins with its wrapper', () => {
  expect(problemsIn('agent_config_schema:\n  metadata: {name: a, type: b}\n')).toMatchObject([
    { code: 'missing_key', path: 'agent_config_schema.metadata.version' },
  ])
})

test.each([
  ['a duplicate key', `${metadata}metadata: {}`, 'syntax'],
  ['two documents', `${metadata}---\n${metadata}`, 'syntax'],
  ['nothing', '', 'syntax'],
  ['only text', 'hello', 'wrong_type'],
  [
    'a prototype',
    `${metadata}executor: {type: builtin, function: noop, settings: {__proto__: {a: 1}}}`,
    'unsafe_key',
  ],
  ['a NUL', `${metadata}outputs: ["a\\0b"]`, 'invalid_text'],
  ['infinity', `${metadata}resource_requirements: {memory_mb: .inf}`, 'invalid_number'],
  ['a circle', `${metadata}executor: {type: builtin, function: noop, settings: &s {s: *s}}`, 'too_complex'],
  ['a user in the URL', `${metadata}executor: {type: http, url: "https://u:p@example.com"}`, 'invalid_value'],
  ['another function', `${metadata}executor: {type: builtin, function: rm}`, 'invalid_value'],
  [
    'a key of another executor',
    `${metadata}executor: {type: person, url: "https://example.com"}`,
    'unknown_key',
  ],
  ['2 MiB', 'a'.repeat(2_097_152), 'text_too_large'],
])('%s is refused', (_what, document, code) => {
  expect(problemsIn(document).map((problem) => problem.code)).toContain(code)
})

test('a billion laughs and a deep nest are refused before they are unfolded', () => {
  const laughs = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 10; i += 1) {
    const before = String.fromCharCode(96 + i)
    laughs.push(
      `${String.fromCharCode(97 + i)}: &${String.fromCharCode(97 + i)} [${Array(9).fill(`*${before}`).join(', ')}]`,
    )
  }
  expect(problemsIn(laughs.join('\n'))).not.toEqual([])
  expect(problemsIn('['.repeat(100_000))).not.toEqual([])
})

test('an HTTP agent may name the credential it is called with, and the header that bears it', () => {
  const at = (authorization: string) =>
    `${metadata}executor: {type: http, url: "https://agents.example.com", authorization: ${authorization}}`
  const read = (authorization: string) => readDocument(at(authorization)).executor
  expect(read('{credential: crm/token}')).toMatchObject({
    authorization: { credential: 'crm/token', header: 'authorization', scheme: 'Bearer' },
  })
  expect(read('{credential: crm, header: X-Api-Key}')).toMatchObject({
    authorization: { credential: 'crm', header: 'x-api-key', scheme: '' },
  })
  expect(read('{credential: crm, scheme: Basic}')).toMatchObject({ authorization: { scheme: 'Basic' } })
  for (const header of ['Host', 'content-length', 'webhook-signature', 'Idempotency-Key', '"a b"', '"x:y"'])
    expect(problemsIn(at(`{credential: crm, header: ${header}}`))).toMatchObject([
      { path: 'executor.authorization.header' },
    ])
  expect(problemsIn(at('{credental: crm}'))).toEqual(
    expect.arrayContaining([expect.objectContaining({ hint: 'Did you mean "credential"?' })]),
  )
})

test('http is accepted on this machine only', () => {
  const at = (url: string) => problemsIn(`${metadata}executor: {type: http, url: "${url}"}`)
  expect(at('http://127.0.0.1:4000/run')).toEqual([])
  expect(at('https://agents.example.com/run')).toEqual([])
  expect(at('http://127.0.0.1.example.com/run')).toHaveLength(1)
})

test('any text is either read or refused with problems', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `${metadata}outputs: ${json}`),
      ),
      (text) => {
        problemsIn(text)
      },
    ),
    { numRuns: 300 },
  )
})

const model = (rest: string) => `${metadata}executor:\n  type: model\n${rest}`

test('a language model is an agent by its configuration alone', () => {
  const read = readDocument(
    `ai_models: {primary: m, cache: memory}\n${model('  instructions: Sum up {{text}}.\n  tools: [search_knowledge]')}`,
  )
  expect(read.ai_models).toEqual({ primary: 'm', cache: 'memory' })
  expect(read.executor).toEqual({
    type: 'model',
    instructions: 'Sum up {{text}}.',
    tools: ['search_knowledge'],
    max_rounds: 5,
    max_output_tokens: 1_500,
    temperature: 0,
    settings: {},
  })
})

test('what is wrong with a language model is told by its place', () => {
  const models = 'ai_models: {primary: m}\n'
  const paths = (document: string) => problemsIn(document).map(({ path }) => path)
  expect(paths(model('  instructions: Do.'))).toEqual(['executor.type'])
  expect(paths(models + model('  instructions: Do.\n  tools: [run_shell]'))).toEqual(['executor.tools.0'])
  expect(paths(models + model('  tools: []'))).toEqual(['executor.instructions'])
  for (const schema of ['{type: array}', '{type: object, properties: 3}', '{type: object, required: [1]}'])
    expect(paths(models + model(`  instructions: Do.\n  output_schema: ${schema}`))).toEqual([
      'executor.output_schema',
    ])
  expect(problemsIn(models + model('  instruction: Do.'))).toMatchObject([
    {},
    { code: 'unknown_key', hint: 'Did you mean "instructions"?' },
  ])
})
