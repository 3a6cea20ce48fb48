import type { Database } from '@tutti/prisma'
import { fail } from '@tutti/schema'
import { insertMessages, type NewMessage, type PostedMessage } from './insert-messages.ts'
import { shareTransaction } from './share-transaction.ts'

/**
 * Puts a message into its recipient's inbox, with all of the organization that this process is sending at this moment, in
 * one transaction. IDEMPOTENCY_KEY_REUSED when its key was used for another.
 */
export async function postMessage(database: Database, message: NewMessage): Promise<PostedMessage> {
  const posted = await post(database, message.sender.actor.organizationId, message)
  return posted ?? fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
}

const post = shareTransaction<NewMessage, PostedMessage | null>({
  most: 100,
  mostBytes: 2 * 1024 * 1024,
  bytesOf: ({ body }) => JSON.stringify(body ?? null).length,
  perform: async (database, messages) => {
    const [first] = messages
    if (!first) return []
    const { actor } = first.sender
    const answers = await database.transact(
      actor,
      (client) => insertMessages(client, actor.organizationId, messages),
      // Planned once: the plan takes longer than the work.
      { plan: 'generic' },
    )
    database.announce()
    return answers
  },
})
