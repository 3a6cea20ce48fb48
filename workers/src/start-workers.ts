import { type Data, roleUrl } from '@tutti/prisma'
import { createLanes, type Lifecycle, type Log } from '@tutti/runtime'
import { TASK_LANE } from '@tutti/schema'
import { startTaskRunner } from '@tutti/workflows/domain'
import { startExports } from './audit/start-exports.ts'
import { startSealer } from './audit/start-sealer.ts'
import { startBudgetUpkeep } from './budgets/start-budget-upkeep.ts'
import { startExpiry } from './approvals/start-expiry.ts'
import { openIncidents } from './consumers/open-incidents.ts'
import { resumeDecidedTasks } from './consumers/resume-decided-tasks.ts'
import { startConsumer } from './consumers/start-consumer.ts'
import { watchOutcomes } from './consumers/watch-outcomes.ts'
import { startEscalations } from './escalations/start-escalations.ts'
import { createExecutor } from './executors/create-executor.ts'
import { openEgress } from './executors/open-egress.ts'
import { probeAgent } from './lifecycle/probe-agent.ts'
import { startDeployments } from './lifecycle/start-deployments.ts'
import { startRetirements } from './lifecycle/start-retirements.ts'
import { openResponseCache } from './models/response-cache.ts'
import { purgeRedis, startPurges } from './models/start-purges.ts'
import { startContainment } from './operations/start-containment.ts'
import { startOperations } from './operations/start-operations.ts'
import { startHealthChecks } from './health/start-health-checks.ts'
import { createTaskLogCollector } from './logs/task-log-collector.ts'
import { openMailer } from './notifications/open-mailer.ts'
import { planNotifications } from './notifications/plan-notifications.ts'
import { startNotifications } from './notifications/start-notifications.ts'
import { startMessageExpiry } from './messaging/start-message-expiry.ts'
import { startRebalancing } from './resources/start-rebalancing.ts'
import { recoverOverdue } from './recovery/recover-overdue.ts'
import { startResources } from './resources/start-resources.ts'
import { startRetention } from './retention/start-retention.ts'
import { keepAgentTriggers } from './triggers/keep-agent-triggers.ts'
import { reactToEvents } from './triggers/react-to-events.ts'
import { startTriggerScheduler } from './triggers/start-trigger-scheduler.ts'
import { startScaling } from './scaling/start-scaling.ts'
import { startRunTimeouts } from './runs/start-run-timeouts.ts'
import type { WorkerServices } from './worker-services.ts'

export interface WorkerOptions extends Omit<WorkerServices, 'database' | 'tail'> {
  databaseUrl: string
  redisUrl?: string | undefined
  /** Where checkpoints of the record are written outside the database: a file or an http(s) URL. */
  checkpoints?: string | undefined
  /** How long after an event at the latest a checkpoint covers it; a minute unless given. */
  checkpointSeconds?: number | undefined
  /** Where mail goes out, and whom it comes from; without both none is sent. */
  smtpUrl?: string | undefined
  mailFrom?: string | undefined
  /** Where people reach the gateway; without it nobody gets a link. */
  publicUrl?: string | undefined
  /** Tasks under way at once in this process. */
  concurrency?: number
}

const PARTITIONS_MS = 12 * 60 * 60 * 1000

/**
 * Everything that happens later: tasks, consumers of the log, upkeep. What starts here stops with the lifecycle. `wake`
 * is for a starter of runs in this very process: it spares the way through the queue.
 */
export async function startWorkers(
  data: Data,
  options: WorkerOptions,
  lifecycle: Lifecycle,
): Promise<{ wake(): void }> {
  const { log, databaseUrl, redisUrl, concurrency } = options
  const { database, tail } = data
  const responses = lifecycle.own(openResponseCache({ database, log }, { redisUrl }))
  const services: WorkerServices = { ...options, database, tail, responses }
  const postgresUrl = roleUrl(databaseUrl, 'queue', options.secret)
  const lanes = lifecycle.own(await createLanes({ redisUrl, postgresUrl }, log))
  const egress = lifecycle.own(openEgress({ allowLocal: options.allowLocalAgents }))
  const taskLogs = lifecycle.own(createTaskLogCollector(services))
  const runner = lifecycle.own(
    startTaskRunner({
      database: data.database,
      execute: createExecutor(services, egress, taskLogs),
      recoverOverdue: recoverOverdue(services),
      log,
      onMore: () => lanes.nudge(TASK_LANE),
      ...(concurrency === undefined ? {} : { concurrency }),
    }),
  )
  await lanes.work(TASK_LANE, () => runner.wake())
  const wake = (): void => runner.wake()
  const scheduler = lifecycle.own(startTriggerScheduler(services, wake))
  for (const consumer of [
    resumeDecidedTasks(services, wake),
    watchOutcomes(services),
    ...(redisUrl === undefined ? [] : [purgeRedis(responses)]),
    openIncidents(services),
    planNotifications(services),
    keepAgentTriggers(services),
    reactToEvents(services, () => scheduler.wake(), wake),
  ]) {
    lifecycle.own(startConsumer(data, consumer, log))
  }
  lifecycle.own(startPurges(services, responses))
  const { checkpoints, checkpointSeconds } = options
  const soon = checkpointSeconds === undefined ? {} : { afterMs: checkpointSeconds * 1_000 }
  lifecycle.own(startSealer(services, { checkpoints, ...soon }))
  lifecycle.own(startExpiry(services))
  lifecycle.own(startEscalations(services))
  const mailer = lifecycle.own(openMailer({ url: options.smtpUrl, from: options.mailFrom }))
  lifecycle.own(startNotifications({ ...services, egress, mailer, publicUrl: options.publicUrl }))
  lifecycle.own(startRunTimeouts(services))
  lifecycle.own(startMessageExpiry(services))
  lifecycle.own(startExports(services))
  lifecycle.own(startOperations(services, wake))
  lifecycle.own(startContainment(services, wake))
  lifecycle.own(startDeployments(services, (agent) => probeAgent(egress, agent)))
  lifecycle.own(startRetirements(services, wake))
  lifecycle.own(startBudgetUpkeep(services))
  lifecycle.own(startHealthChecks({ ...services, egress }))
  lifecycle.own(startResources(services))
  lifecycle.own(startScaling(services))
  lifecycle.own(startRebalancing(services))
  lifecycle.own(startRetention(services))
  keepPartitions(data, log, lifecycle)
  return { wake }
}

/** Months of the event log are made ahead; a worker that runs for long makes them too. */
function keepPartitions({ database }: Data, log: Log, lifecycle: Lifecycle): void {
  const timer = setInterval(() => {
    database
      .pool('worker')
      .query('select log.ensure_partitions()')
      .catch((error: unknown) => log.warn({ err: error }, 'partitions'))
  }, PARTITIONS_MS)
  lifecycle.onStop(() => clearInterval(timer))
}
