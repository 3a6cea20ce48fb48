import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { consequencesOf, limitsOfSettings } from './consequences.ts'
import { readSettings, type SettingsInForce } from './read-settings.ts'

const seed = (name: string): string => readFileSync(new URL(`fixtures/${name}.yaml`, import.meta.url), 'utf8')
const ORCHESTRATOR = seed('orchestrator-config')
const ORGANIZATION = seed('organization-orchestration')
const SCALING = seed('scaling-strategy')
const berlin = { timeZone: 'Europe/Berlin' }

function read(document: string): SettingsInForce {
  const result = readSettings(document)
  expect(result).toMatchObject({ ok: true })
  return result.ok ? result.settings : {}
}

function problemsOf(document: string) {
  const result = readSettings(document)
  return result.ok ? [] : result.problems
}

/** Paths of everything a document says. */
const pathsIn = (value: unknown, path: string): string[] =>
  typeof value === 'object' && value !== null && !(Array.isArray(value) && typeof value[0] === 'string')
    ? Object.entries(value).flatMap(([key, each]) => pathsIn(each, path ? `${path}.${key}` : key))
    : [path]

test.each([ORCHESTRATOR, ORGANIZATION, SCALING])(
  'what the seed says is read as it stands, and every value has its effect or is reported',
  (document) => {
    const result = readSettings(document)
    if (!result.ok) throw new Error(JSON.stringify(result.problems))
    const { applied, withoutEffect } = consequencesOf(result.settings, berlin)
    const told = [...applied, ...withoutEffect, ...result.notes].map(({ path }) => path)
    expect(told.toSorted()).toEqual(pathsIn(parse(document), '').toSorted())
    for (const { effect } of applied) expect(effect).toMatch(/\.$/)
    for (const { reason } of withoutEffect) expect(reason).toMatch(/\.$/)
  },
)

test('the seed comes to these limits and effects', () => {
  const settings = read(`${ORCHESTRATOR}\n${ORGANIZATION}`)
  expect(limitsOfSettings(settings)).toMatchObject([
    { name: 'max_concurrent_workflows', counts: 'runs', maxRunning: 1000 },
    { name: 'max_concurrent_agents', counts: 'tasks', maxRunning: 10 },
    { name: 'daily_ai_budget_usd', counts: 'cost', maxCostUsd: 50 },
    { name: 'max_requests_per_hour', counts: 'tasks', rate: { starts: 1000, perSeconds: 3600 } },
  ])
  expect(consequencesOf(settings, berlin).applied.map(({ path }) => path.split('.').at(-1))).toEqual([
    'max_concurrent_workflows',
    'workflow_timeout_minutes',
    'agent_response_timeout_seconds',
    'auto_scaling_enabled',
    'scale_up_threshold',
    'scale_down_threshold',
    'min_agents_per_type',
    'max_agents_per_type',
    'agent_isolation_enabled',
    'audit_logging_enabled',
    'max_concurrent_agents',
    'daily_ai_budget_usd',
    'max_requests_per_hour',
  ])
  const budget = consequencesOf(settings, berlin).applied.find(({ path }) => path.endsWith('budget_usd'))
  expect(budget?.effect).toContain('midnight in Europe/Berlin')
})

test('YAML or JSON, with its name around it or without, the same document says the same', () => {
  for (const document of [ORCHESTRATOR, ORGANIZATION, SCALING]) {
    const whole = parse(document)
    const [inner] = Object.values(whole)
    const wanted = read(document)
    expect(read(JSON.stringify(whole))).toEqual(wanted)
    expect(read(JSON.stringify(inner, null, 2))).toEqual(wanted)
  }
})

test('the organization named in a document is not taken, and said not to be', () => {
  const result = readSettings(ORGANIZATION)
  expect(result).toMatchObject({ ok: true, notes: [{ path: 'organization_orchestration.organization_id' }] })
  expect(JSON.stringify(result.ok && result.settings)).not.toContain('org_123')
})

test('units are understood', () => {
  expect(read(SCALING)).toEqual({
    scaling_strategy: {
      auto_scaling: {
        enabled: true,
        metrics: ['cpu_utilization', 'memory_usage', 'queue_length', 'response_time'],
        scale_up_policy: {
          threshold_cpu: 0.7,
          threshold_memory: 0.8,
          threshold_queue: 100,
          threshold_response_time: 5,
          cooldown_period: 300,
        },
        scale_down_policy: {
          threshold_cpu: 0.3,
          threshold_memory: 0.4,
          threshold_queue: 10,
          threshold_response_time: 1,
          cooldown_period: 600,
        },
      },
      resource_limits: {
        min_instances: 2,
        max_instances: 50,
        cpu_per_instance: 2,
        memory_per_instance: 4 * 1024 ** 3,
      },
      load_balancing: {
        algorithm: 'weighted_round_robin',
        health_check_path: '/health',
        health_check_interval: 30,
        unhealthy_threshold: 3,
        healthy_threshold: 2,
      },
    },
  })
  const durations = `performance: {workflow_timeout_minutes: 1h30m, agent_response_timeout_seconds: PT2M}
resource_management: {scale_up_threshold: 80%, max_agents_per_type: 1_000}
quality_control: {human_review_percentage: 10%}`
  expect(read(durations)).toEqual({
    orchestrator_config: {
      performance: { workflow_timeout_minutes: 90, agent_response_timeout_seconds: 120 },
      resource_management: { scale_up_threshold: 0.8, max_agents_per_type: 1000 },
      quality_control: { human_review_percentage: 10 },
    },
  })
  expect(
    read(
      'agent_deployment: {a: {agents: [{type: x, schedule: weekly}, {type: y, schedule: "0 9 * * 1-5"}]}}',
    ),
  ).toMatchObject({
    organization_orchestration: { agent_deployment: { a: { agents: [{ schedule: 'weekly' }, {}] } } },
  })
})

test('a security switch cannot be turned off, and the reason is said', () => {
  const off = ORCHESTRATOR.replaceAll(/(encryption|isolation|logging)_enabled: true/g, '$1_enabled: false')
  const problems = problemsOf(off)
  expect(problems.map(({ code, path, line }) => ({ code, path, line }))).toEqual(
    ['context_encryption', 'agent_isolation', 'audit_logging'].map((name) => ({
      code: 'cannot_be_turned_off',
      path: `orchestrator_config.security.${name}_enabled`,
      line: off.split('\n').findIndex((line) => line.includes(`${name}_enabled`)) + 1,
    })),
  )
  for (const { message, hint } of problems) {
    expect(message).toMatch(/cannot be turned off\. \S.+\.$/)
    expect(hint).toContain('Write true')
  }
})

test('all mistakes are told at once, with their places', () => {
  const problems = problemsOf(`orchestrator_config:
  performance:
    max_concurrent_workflow: 10
    workflow_timeout_minutes: soon
    agent_response_timeout_seconds: 0
  resource_management:
    scale_up_threshold: 80
    scale_down_threshold: 0.3
    min_agents_per_type: 5
    max_agents_per_type: 2
    auto_scaling_enabled: "yes"
  quality_control:
    human_review_percentage: 110%
  security:
    audit_logging_enabled: false
organization_orchestration:
  agent_deployment:
    marketing:
      agents:
        - {type: a, priority: urgent, schedule: sometimes}
        - {kind: b}
  resource_limits:
    max_requests_per_hour: 1000_messages
    max_concurrent_agents: 2.5
    daily_ai_budget_usd: -1
  integration_preferences:
    social_platforms: instagram
surprise: true
`)
  expect(problems.map(({ code, path, line, column }) => `${line}:${column} ${code} ${path}`)).toEqual([
    '3:5 unknown_key orchestrator_config.performance.max_concurrent_workflow',
    '4:31 wrong_type orchestrator_config.performance.workflow_timeout_minutes',
    '5:37 out_of_range orchestrator_config.performance.agent_response_timeout_seconds',
    '7:25 out_of_range orchestrator_config.resource_management.scale_up_threshold',
    '9:26 out_of_range orchestrator_config.resource_management.min_agents_per_type',
    '11:27 wrong_type orchestrator_config.resource_management.auto_scaling_enabled',
    '13:30 out_of_range orchestrator_config.quality_control.human_review_percentage',
    '15:28 cannot_be_turned_off orchestrator_config.security.audit_logging_enabled',
    '20:31 wrong_type organization_orchestration.agent_deployment.marketing.agents.0.priority',
    '20:49 wrong_type organization_orchestration.agent_deployment.marketing.agents.0.schedule',
    '21:12 unknown_key organization_orchestration.agent_deployment.marketing.agents.1.kind',
    '23:28 wrong_type organization_orchestration.resource_limits.max_requests_per_hour',
    '24:28 out_of_range organization_orchestration.resource_limits.max_concurrent_agents',
    '25:26 out_of_range organization_orchestration.resource_limits.daily_ai_budget_usd',
    '27:23 wrong_type organization_orchestration.integration_preferences.social_platforms',
    '28:1 unknown_key surprise',
  ])
  expect(problems[0]?.hint).toBe('Did you mean "max_concurrent_workflows"?')
})

test('a threshold for fewer is below that for more, also when only written differently', () => {
  const pair = (down: string, up: string) =>
    problemsOf(`resource_management: {scale_down_threshold: ${down}, scale_up_threshold: ${up}}`)
  expect(pair('30%', '0.8')).toEqual([])
  expect(pair('80%', '0.8')).toMatchObject([{ code: 'out_of_range' }])
  expect(pair('0.9', '0.8')).toMatchObject([
    { code: 'out_of_range', path: 'resource_management.scale_down_threshold' },
  ])
})

test.each([
  ['', 'syntax'],
  ['[]', 'wrong_type'],
  ['{}', 'missing_key'],
  ['orchestrator_config', 'wrong_type'],
  ['orchestrator_config:', 'wrong_type'],
  ['orchestrator_config: {security: }', 'wrong_type'],
  ['nothing: of ours', 'unknown_key'],
  ['__proto__: {a: 1}', 'unsafe_key'],
  ['orchestrator_config: {constructor: {}}', 'unsafe_key'],
  ['performance: {}\nperformance: {}', 'duplicate_key'],
  ['orchestrator_config: {}\nperformance: {}', 'unknown_key'],
  ['a: &a [*a]', 'too_complex'],
  ['integration_preferences: {messaging_platform: "a\\0b"}', 'wrong_type'],
  ['integration_preferences: {messaging_platform: "\\ud800"}', 'wrong_type'],
  ['agent_deployment: {"a\\nb": {agents: []}}', 'invalid_name'],
  [`agent_deployment: ${'{a: '.repeat(5_000)}${'}'.repeat(5_000)}`, 'too_complex'],
])('%s is refused', (document, code) => {
  expect(problemsOf(document).map((problem) => problem.code)).toContain(code)
})

test('a part may say nothing', () => {
  expect(read('orchestrator_config: {}')).toEqual({ orchestrator_config: {} })
})

test('whatever the text, it is read or refused with places, and what was read is storable', () => {
  const word = fc.constantFrom(
    'orchestrator_config',
    'performance',
    'security',
    'audit_logging_enabled',
    'resource_limits',
    'daily_ai_budget_usd',
    'agent_deployment',
    'agents',
    'toString',
    '70%',
    '1h',
  )
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(word, fc.string(), fc.double(), fc.boolean(), fc.constant(null)),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(word, fc.string()), tie('node'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).node
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        tree.map((each) => JSON.stringify(each)),
      ),
      (text) => {
        const result = readSettings(text)
        if (result.ok) {
          const stored = JSON.stringify(result.settings)
          expect(stored).not.toMatch(/\\u(0000|d[89a-f])/)
          // What is in force says the same when it is read again.
          expect(read(stored)).toEqual(result.settings)
        } else {
          expect(result.problems.length).toBeGreaterThan(0)
          for (const { message, hint } of result.problems) expect([message, hint]).not.toContain('')
        }
      },
    ),
    { numRuns: 2_000 },
  )
})
