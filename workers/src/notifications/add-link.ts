import { issueLink, type NotificationRow } from '@tutti/governance/domain'
import { type WorkerServices, workerActor } from '../worker-services.ts'
import type { Telling } from './write-lines.ts'

/**
 * What is told, with a new link where its one reader may decide or take on what waits; each attempt has its own, since no
 * token is kept. `token`: null where there is no link.
 */
export async function addLink(
  services: Pick<WorkerServices, 'database'> & { publicUrl?: string | undefined },
  organizationId: string,
  notification: NotificationRow,
): Promise<{ told: Telling; token: string | null }> {
  const { publicUrl } = services
  if (publicUrl === undefined) return { told: { ...notification, link: null }, token: null }
  const token = await issueLink(services, workerActor(organizationId), notification)
  if (token === null) return { told: { ...notification, link: null }, token }
  const { message } = notification
  const link = new URL(`decide/${token}`, publicUrl.endsWith('/') ? publicUrl : `${publicUrl}/`).href
  return { told: { ...notification, link, message: { ...message, data: { ...message.data, link } } }, token }
}
