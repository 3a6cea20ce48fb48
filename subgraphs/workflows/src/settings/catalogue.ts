import { organizationRule } from '../limits/limit-rule.ts'
import type { Consequence, Setting, SettingNode, Unit } from './setting.ts'

const value = (unit: Unit, consequence: Consequence, limit?: Setting['limit']): Setting => ({
  kind: 'value',
  ...unit,
  ...consequence,
  ...(limit ? { limit } : {}),
})
const group = (of: Readonly<Record<string, SettingNode>>): SettingNode => ({ kind: 'group', of })
const idle = (reason: string): Consequence => ({ idle: reason })

const SHARE: Unit = { unit: 'share' }
const PERCENT: Unit = { unit: 'percent' }
const FLAG: Unit = { unit: 'flag' }
const TEXT: Unit = { unit: 'text' }
const count = (nouns: readonly string[], min: number, max: number): Unit => ({
  unit: 'count',
  nouns,
  min,
  max,
})
const seconds = (min: number, max: number): Unit => ({ unit: 'seconds', min, max })

const DEPLOYMENT = idle(
  'Agents are not deployed by the settings yet: registerAgent brings one, a trigger of a workflow gives it a time.',
)
const REVIEW = idle(
  'No rule of the engine acts on it yet: a review step and its condition say in a workflow when a person decides.',
)
const QUALITY = idle(
  'Quality is judged by the criteria of the quality checks; this value is not taken over yet.',
)
const ROUTING = idle(
  'Models are chosen by what setRouterSettings was given, which understands this document too; not from here yet.',
)
const PROVIDER = idle('Platforms are not chosen by the settings yet: each agent names its own.')
const MONITORING = idle('The platform watches at intervals of its own; this value is not taken over yet.')
const PROCESSES = idle(
  'About the processes of the platform itself, which are not scaled by the settings yet.',
)

const percent = (share: number): string => `${Math.round(share * 1_000) / 10}%`
const MILLION = 1_000_000
const ENGINE_DAY = 86_400

/** Every setting: how it is written, and what it does or why it does nothing. docs/settings.md is tested against it. */
export const SETTINGS = {
  orchestrator_config: group({
    performance: group({
      max_concurrent_workflows: value(
        count(['workflows', 'runs'], 1, MILLION),
        {
          effect: (most) =>
            `At most ${most} runs are under way at once; others wait for their turn as queued, oldest first.`,
        },
        (most) => ({ ...organizationRule('max_concurrent_workflows', 'runs'), maxRunning: most }),
      ),
      workflow_timeout_minutes: value(
        { unit: 'minutes', min: 1, max: 366 * 1_440 },
        {
          effect: (most) =>
            `A run whose workflow has no timeout of its own fails after ${most} minutes; waiting for people, times, signals and events is not counted. For runs started from now on.`,
        },
      ),
      agent_response_timeout_seconds: value(seconds(1, 7 * ENGINE_DAY), {
        effect: (most) =>
          `One attempt at a step without a timeout of its own may take ${most} seconds. For workflows applied from now on.`,
      }),
    }),
    resource_management: group({
      auto_scaling_enabled: value(FLAG, {
        effect: (on) =>
          on
            ? 'Agents with instances get more or fewer of them by their load, looked at every five seconds.'
            : 'Agents keep the instances that they were given, except those of which setScalingPolicy says otherwise.',
      }),
      scale_up_threshold: value(SHARE, {
        effect: (share) =>
          `An agent that is scaled by its load gets more instances when ${percent(share)} of its slots are taken, or when more tasks wait than it has slots.`,
      }),
      scale_down_threshold: value(SHARE, {
        effect: (share) =>
          `An agent that is scaled by its load loses an instance when ${percent(share)} of its slots or less are taken and nothing waits.`,
      }),
      min_agents_per_type: value(count(['agents'], 0, MILLION), {
        effect: (fewest) =>
          `Agents that are scaled by their load are given instances until those of their type have ${fewest} together; each keeps one.`,
      }),
      max_agents_per_type: value(count(['agents'], 1, MILLION), {
        effect: (most) =>
          `Scaling by load gives the agents of a type at most ${most} instances together; each keeps one.`,
      }),
    }),
    quality_control: group({
      quality_check_percentage: value(PERCENT, QUALITY),
      human_review_percentage: value(PERCENT, REVIEW),
      feedback_collection_enabled: value(FLAG, idle('Feedback is not collected yet.')),
    }),
    monitoring: group({
      metrics_collection_interval_seconds: value(seconds(1, ENGINE_DAY), MONITORING),
      health_check_interval_seconds: value(seconds(1, ENGINE_DAY), MONITORING),
      anomaly_detection_enabled: value(
        FLAG,
        idle('Failing workflows are always watched for and open incidents; there is no switch yet.'),
      ),
    }),
    cost_optimization: group({
      model_routing_enabled: value(FLAG, ROUTING),
      response_caching_enabled: value(FLAG, idle('Answers of models are not cached yet.')),
      cost_aware_scheduling: value(
        FLAG,
        idle('Work is not put off for a cheaper time yet; daily_ai_budget_usd bounds what a day costs.'),
      ),
    }),
    security: group({
      context_encryption_enabled: value(
        {
          unit: 'always on',
          reason: 'Shared context holds what people and agents confide: it is never kept in the open.',
        },
        idle('Cannot be turned off. There is no shared context yet that would be encrypted.'),
      ),
      agent_isolation_enabled: value(
        {
          unit: 'always on',
          reason: 'Without it one agent, or one tenant, could reach what belongs to another.',
        },
        {
          effect: () =>
            'Always on: an agent acts within its organization only, by filters and by row-level security, and with its own scopes.',
        },
      ),
      audit_logging_enabled: value(
        {
          unit: 'always on',
          reason:
            'What was decided and changed must be provable afterwards, also against whoever changed the settings.',
        },
        { effect: () => 'Always on: decisions, changes and refusals are recorded and cannot be edited.' },
      ),
    }),
  }),

  organization_orchestration: group({
    organization_id: value(
      { unit: 'ignored' },
      idle('Ignored: the organization is that of the caller’s credential, never of a document.'),
    ),
    agent_deployment: {
      kind: 'each',
      of: group({
        agents: {
          kind: 'list',
          of: group({
            type: value(TEXT, DEPLOYMENT),
            priority: value({ unit: 'word', words: ['low', 'medium', 'high', 'critical'] }, DEPLOYMENT),
            schedule: value({ unit: 'period' }, DEPLOYMENT),
            trigger: value(TEXT, DEPLOYMENT),
          }),
        },
      }),
    },
    workflow_preferences: group({
      content_approval_required: value(FLAG, REVIEW),
      human_review_threshold: value(SHARE, REVIEW),
      auto_publish_enabled: value(FLAG, REVIEW),
    }),
    resource_limits: group({
      max_concurrent_agents: value(
        count(['agents'], 1, MILLION),
        { effect: (most) => `At most ${most} tasks are under way at once in the whole organization.` },
        (most) => ({ ...organizationRule('max_concurrent_agents', 'tasks'), maxRunning: most }),
      ),
      daily_ai_budget_usd: value(
        { unit: 'dollars', min: 0, max: 100 * MILLION },
        {
          effect: (most, { timeZone }) =>
            `Once the day's tasks have cost ${most} US dollars, no task begins whose agent may cost something, until midnight in ${timeZone}; what is under way ends.`,
        },
        (most) => ({ ...organizationRule('daily_ai_budget_usd', 'cost'), maxCostUsd: most }),
      ),
      max_requests_per_hour: value(
        count(['requests'], 1, MILLION),
        {
          effect: (most) =>
            `Agents' attempts begin at a rate of ${most} an hour: so many at once after a pause, then evenly.`,
        },
        (most) => ({
          ...organizationRule('max_requests_per_hour', 'tasks'),
          rate: { starts: most, perSeconds: 3_600 },
        }),
      ),
    }),
    quality_requirements: group({
      minimum_quality_score: value(SHARE, QUALITY),
      brand_alignment_threshold: value(SHARE, QUALITY),
      safety_check_required: value(FLAG, QUALITY),
    }),
    integration_preferences: group({
      preferred_ai_provider: value(TEXT, ROUTING),
      fallback_ai_provider: value(TEXT, ROUTING),
      messaging_platform: value(TEXT, PROVIDER),
      social_platforms: value({ unit: 'texts' }, PROVIDER),
    }),
  }),

  scaling_strategy: group({
    auto_scaling: group({
      enabled: value(FLAG, PROCESSES),
      metrics: value({ unit: 'texts' }, PROCESSES),
      scale_up_policy: scalingPolicy(),
      scale_down_policy: scalingPolicy(),
    }),
    resource_limits: group({
      min_instances: value(count(['instances'], 0, MILLION), PROCESSES),
      max_instances: value(count(['instances'], 1, MILLION), PROCESSES),
      cpu_per_instance: value({ unit: 'cores', min: 0.001, max: 1_024 }, PROCESSES),
      memory_per_instance: value({ unit: 'bytes', min: 1_048_576, max: 2 ** 50 }, PROCESSES),
    }),
    load_balancing: group({
      algorithm: value(TEXT, PROCESSES),
      health_check_path: value(TEXT, PROCESSES),
      health_check_interval: value(seconds(1, ENGINE_DAY), PROCESSES),
      unhealthy_threshold: value(count(['checks'], 1, 1_000), PROCESSES),
      healthy_threshold: value(count(['checks'], 1, 1_000), PROCESSES),
    }),
  }),
} as const satisfies Readonly<Record<string, SettingNode>>

function scalingPolicy(): SettingNode {
  return group({
    threshold_cpu: value(SHARE, PROCESSES),
    threshold_memory: value(SHARE, PROCESSES),
    threshold_queue: value(count(['messages', 'tasks'], 0, 100 * MILLION), PROCESSES),
    threshold_response_time: value(seconds(0.001, ENGINE_DAY), PROCESSES),
    cooldown_period: value(seconds(0, ENGINE_DAY), PROCESSES),
  })
}

/** The parts a document may hold; each replaces that part as it was, the others stay. */
export type SettingsPart = keyof typeof SETTINGS
export const SETTINGS_PARTS: readonly SettingsPart[] = [
  'orchestrator_config',
  'organization_orchestration',
  'scaling_strategy',
]
