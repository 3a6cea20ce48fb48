import { loadNames } from '@tutti/prisma'
import type { Actor, EventRecord } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { assigneeOf } from '../escalations/enter-level.ts'
import { LEVELS } from '../escalations/escalation-level.ts'
import { ruleAt } from '../escalations/escalation-status.ts'
import { readLadder } from '../escalations/read-ladder.ts'
import { concernedBy, plan } from './plan-notifications.ts'

/**
 * Makes what is to be told of something that was done and that the authority matrix wants a level to know: to whoever is
 * responsible there for who did it, as for an escalation, but not to who did it; and to the organization's channels. Once,
 * however many attempts it took. Output: how many are new.
 */
export async function planInformed(
  { database }: DomainServices,
  actor: Actor,
  { id, subject, actor: doer, data }: EventRecord<'authority.informed'>,
): Promise<number> {
  const { action, title, runId, taskId, teamId = null, domainId = null } = data
  const level = LEVELS.find((each) => each === data.level)
  if (level === undefined) return 0
  const name = doer.name ?? (await loadNames({ database, actor }, [doer.id])).get(doer.id) ?? doer.id
  return database.inTenant(actor, async (tx) => {
    const { responsible } = ruleAt(await readLadder(tx, { teamId, domainId }), level)
    const onCall = await assigneeOf(tx, responsible)
    return plan(
      tx,
      { subject, turn: 0, occasion: `informed/${data.key ?? id}` },
      { ...concernedBy(onCall ? { kind: 'person', name: onCall.id } : responsible), except: [doer.id] },
      {
        type: 'authority.informed',
        title: `For your information: ${title}`,
        lines: [
          `${name} does this without asking, and the authority matrix wants it to be known (${level}).`,
          `Action ${action}${taskId === null ? '' : `, task ${taskId}`}.`,
        ],
        data: { action, level, title, runId, taskId, actor: { id: doer.id, name } },
      },
    )
  })
}
