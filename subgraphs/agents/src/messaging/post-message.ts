import type { Database } from '@tutti/prisma'
import { TuttiError } from '@tutti/schema'
import { insertMessages, type NewMessage, type PostedMessage } from './insert-messages.ts'

const MOST_TOGETHER = 100
const MOST_BYTES_TOGETHER = 2 * 1024 * 1024

interface Waiting {
  message: NewMessage
  bytes: number
  posted: PromiseWithResolvers<PostedMessage>
}

/** Messages of one organization that wait for a statement and a commit, which those that wait together share. */
interface Outbox {
  waiting: Waiting[]
  writing: boolean
}

const outboxes = new WeakMap<Database, Map<string, Outbox>>()

/**
 * Puts a message into its recipient's inbox, with all of the organization that this process is sending at this moment, in
 * one transaction. IDEMPOTENCY_KEY_REUSED when its key was used for another.
 */
export async function postMessage(database: Database, message: NewMessage): Promise<PostedMessage> {
  const { organizationId } = message.sender.actor
  const ofDatabase = outboxes.get(database) ?? new Map<string, Outbox>()
  outboxes.set(database, ofDatabase)
  const outbox = ofDatabase.get(organizationId) ?? { waiting: [], writing: false }
  ofDatabase.set(organizationId, outbox)
  const posted = Promise.withResolvers<PostedMessage>()
  const bytes = JSON.stringify(message.body ?? null).length
  outbox.waiting.push({ message, bytes, posted })
  if (!outbox.writing) {
    outbox.writing = true
    void writeAll(database, outbox, () => ofDatabase.delete(organizationId))
  }
  return posted.promise
}

async function writeAll(database: Database, outbox: Outbox, onEmpty: () => void): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  while (outbox.waiting.length > 0) await write(database, takeBatch(outbox))
  onEmpty()
}

function takeBatch({ waiting }: Outbox): Waiting[] {
  let [count, bytes] = [0, 0]
  for (const each of waiting) {
    bytes += each.bytes
    if (count > 0 && (count >= MOST_TOGETHER || bytes > MOST_BYTES_TOGETHER)) break
    count += 1
  }
  return waiting.splice(0, count)
}

/** Never rejects: whoever sent hears it. What fails together is tried one by one, so that one's fault is not another's. */
async function write(database: Database, batch: readonly Waiting[]): Promise<void> {
  const [first] = batch
  if (!first) return
  const { actor } = first.message.sender
  try {
    const answers = await database.transact(
      actor,
      (client) =>
        insertMessages(
          client,
          actor.organizationId,
          batch.map(({ message }) => message),
        ),
      // Planned once: the plan takes longer than the work.
      { plan: 'generic' },
    )
    database.announce()
    batch.forEach(({ posted }, index) => {
      const answer = answers[index]
      if (answer) posted.resolve(answer)
      else posted.reject(new TuttiError('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' }))
    })
  } catch (error) {
    if (batch.length === 1) first.posted.reject(error)
    else for (const each of batch) await write(database, [each])
  }
}
