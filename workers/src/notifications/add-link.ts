import { issueLink, type NotificationRow } from '@tutti/governance/domain'
import { type WorkerServices, workerActor } from '../worker-services.ts'

/**
 * What is told, with a new link where its one reader may decide or take on what waits; each attempt has its own, since no
 * token is kept. `token`: null where there is no link.
 */
export async function addLink(
  services: Pick<WorkerServices, 'database'> & { publicUrl?: string | undefined },
  organizationId: string,
  notification: NotificationRow,
): Promise<{ told: NotificationRow; token: string | null }> {
  const { publicUrl } = services
  if (publicUrl === undefined) return { told: notification, token: null }
  const token = await issueLink(services, workerActor(organizationId), notification)
  if (token === null) return { told: notification, token }
  const { message } = notification
  const link = new URL(`decide/${token}`, publicUrl.endsWith('/') ? publicUrl : `${publicUrl}/`).href
  const line = `Decide without signing in; this link is yours alone and works once: ${link}`
  return {
    told: {
      ...notification,
      message: { ...message, lines: [...message.lines, line], data: { ...message.data, link } },
    },
    token,
  }
}
