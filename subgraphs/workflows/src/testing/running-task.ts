import type { TestDatabase } from '@tutti/prisma/testing'
import type { Actor } from '@tutti/schema'
import type { ReportingTask } from '../tasks/progress/report-progress.ts'

/** A run at one task that a worker holds, made by rows alone: for what is about tasks and not about the engine. */
export async function runningTask(world: TestDatabase, actor: Actor): Promise<ReportingTask> {
  const { organizationId } = actor
  return world.database.inTenant(actor, async (tx) => {
    const count = await tx.db.workflow.count()
    const workflow = await tx.db.workflow.create({
      data: { organizationId, name: `flow ${count}`, latestVersion: 1, publishedVersion: 1 },
    })
    const version = await tx.db.workflowVersion.create({
      data: {
        organizationId,
        workflowId: workflow.id,
        version: 1,
        source: '',
        sourceHash: '',
        definition: {},
      },
    })
    const run = await tx.db.run.create({
      data: {
        organizationId,
        workflowId: workflow.id,
        versionId: version.id,
        status: 'running',
        input: {},
        startedBy: {},
      },
    })
    const agent = await tx.db.agent.create({
      data: {
        organizationId,
        name: `agent ${count}`,
        type: 'test',
        version: '1',
        executor: {},
        configuration: {},
        configurationHash: '',
      },
    })
    const task = await tx.db.task.create({
      data: {
        organizationId,
        runId: run.id,
        stepPath: 'work',
        nodeId: 'work',
        kind: 'agent',
        agentId: agent.id,
        status: 'running',
        attempt: 1,
        input: {},
        timeoutMs: 60_000,
      },
    })
    const strand = await tx.db.strand.create({
      data: {
        organizationId,
        runId: run.id,
        workflowId: workflow.id,
        taskId: task.id,
        agentId: agent.id,
        status: 'running',
        fence: 7n,
      },
    })
    return {
      organizationId,
      id: task.id,
      runId: run.id,
      workflowId: workflow.id,
      workflowName: workflow.name,
      stepPath: task.stepPath,
      agentId: agent.id,
      attempt: 1,
      strandId: strand.id,
      fence: 7n,
    }
  })
}
