import type { Actor } from '@tutti/schema'
import { requestApproval } from '../approvals/request-approval.ts'
import { colleague, type World } from './open-world.ts'

/** An organization with who asks, and who decides. */
export interface Desk {
  admin: Actor
  operator: Actor
  ada: Actor
  ben: Actor
  cleo: Actor
}

/** Makes one in a world. */
export async function openDesk(world: World): Promise<Desk> {
  const admin = await world.organization()
  return {
    admin,
    operator: colleague(admin, 'operator', 'olga'),
    ada: colleague(admin, 'approver', 'ada'),
    ben: colleague(admin, 'approver', 'ben'),
    cleo: colleague(admin, 'approver', 'cleo'),
  }
}

/** Asks whether a refund may be made; `more` says what is otherwise. */
export const requestRefund = (
  world: World,
  by: Actor,
  more: object = {},
): ReturnType<typeof requestApproval> =>
  requestApproval(world, by, {
    title: 'Refund?',
    action: 'refund',
    arguments: {},
    reason: 'broken',
    requestKey: crypto.randomUUID(),
    ...more,
  })
