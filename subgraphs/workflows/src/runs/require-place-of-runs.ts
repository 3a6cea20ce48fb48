import { type Actor, fail, requireIn } from '@tutti/schema'
import type { Services } from '../context.ts'
import type { WorkflowDefinition } from '../definitions/index.ts'
import { engineMemoryOf } from '../engine/store/engine-memory.ts'
import { findTargets, type RunSelector } from './find-targets.ts'

/**
 * FORBIDDEN unless the caller may start runs everywhere, or in the team or domain of every agent that a run's steps
 * name. Steps by capability, sub-workflows and messages may come to anybody: whoever may in some places only starts
 * none of those.
 */
export async function requirePlaceOfRuns(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  requests: readonly RunSelector[],
  path: (index: number) => string,
): Promise<void> {
  if (actor.scopes.includes('runs:start')) return
  const { organizationId } = actor
  await database.transact(actor, async (client) => {
    const targets = await findTargets(client, actor, requests)
    const ids = requests.flatMap((request) => targets(request)?.versionId ?? [])
    const definitions = await engineMemoryOf(database).definitions.get(
      client,
      ids.map((id) => ({ organizationId, id })),
    )
    for (const [index, request] of requests.entries()) {
      const definition = definitions.get(targets(request)?.versionId ?? '')
      // What is not there is not found, whoever asks.
      if (!definition) continue
      const names = agentsOf(definition)
      if (names === null) {
        fail('FORBIDDEN', {
          path: path(index),
          message: 'It may come to agents of any team, and your role allows this in some teams only.',
          hint: 'Needs runs:start everywhere.',
        })
      }
      const { rows } = await client.query<{ teamId: string | null; domainId: string | null }>(
        `select a.team_id as "teamId", t.domain_id as "domainId" from unnest($2::text[]) as x(name)
         left join agent a on a.organization_id = $1 and a.name = x.name
         left join team t on t.organization_id = a.organization_id and t.id = a.team_id`,
        [organizationId, names],
      )
      for (const place of rows) requireIn(actor, 'runs:start', place, path(index))
    }
  })
}

/** The agents that its steps name; null when it may come to others, or to nobody in particular. */
function agentsOf({ nodes }: WorkflowDefinition): string[] | null {
  const names = new Set<string>()
  for (const node of Object.values(nodes)) {
    if (node.kind === 'workflow' || node.kind === 'message') return null
    if (node.kind !== 'task') continue
    if (node.plan !== undefined) return null
    for (const { agent } of [node, ...(node.compensate === undefined ? [] : [node.compensate])]) {
      if (agent === undefined) return null
      names.add(agent)
    }
  }
  return names.size === 0 ? null : [...names]
}
