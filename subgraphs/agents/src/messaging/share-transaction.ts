import type { Database } from '@tutti/prisma'

/** How acts of one organization that come at one moment are done in one transaction. */
export interface Sharing<Act, Answer> {
  /** Acts that share a transaction, at most. */
  most: number
  /** Bytes they may have together; one act alone may have more. */
  mostBytes?: number
  bytesOf?(act: Act): number
  /** Two acts with the same key never share one. */
  keyOf?(act: Act): string
  /** One transaction, with an answer to each act in their order. */
  perform(database: Database, acts: readonly Act[]): Promise<readonly Answer[]>
}

interface Waiting<Act, Answer> {
  act: Act
  bytes: number
  answered: PromiseWithResolvers<Answer>
}

interface Line<Act, Answer> {
  waiting: Waiting<Act, Answer>[]
}

/**
 * An act that is done at once where none of its organization is under way in this process, and otherwise with all that came
 * meanwhile: a statement and a commit cost more than what is done by them. What fails together is tried one by one, so that
 * one's fault is not another's.
 */
export function shareTransaction<Act, Answer>(
  sharing: Sharing<Act, Answer>,
): (database: Database, organizationId: string, act: Act) => Promise<Answer> {
  const ofDatabase = new WeakMap<Database, Map<string, Line<Act, Answer>>>()
  return (database, organizationId, act) => {
    const lines = ofDatabase.get(database) ?? new Map<string, Line<Act, Answer>>()
    ofDatabase.set(database, lines)
    const answered = Promise.withResolvers<Answer>()
    const waiting = { act, bytes: sharing.bytesOf?.(act) ?? 0, answered }
    const line = lines.get(organizationId)
    if (line) line.waiting.push(waiting)
    else {
      const begun: Line<Act, Answer> = { waiting: [waiting] }
      lines.set(organizationId, begun)
      void performAll(sharing, database, begun, () => lines.delete(organizationId))
    }
    return answered.promise
  }
}

async function performAll<Act, Answer>(
  sharing: Sharing<Act, Answer>,
  database: Database,
  line: Line<Act, Answer>,
  onEmpty: () => void,
): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  while (line.waiting.length > 0) await perform(sharing, database, takeBatch(sharing, line))
  onEmpty()
}

function takeBatch<Act, Answer>(
  { most, mostBytes = Infinity, keyOf }: Sharing<Act, Answer>,
  { waiting }: Line<Act, Answer>,
): Waiting<Act, Answer>[] {
  const keys = new Set<string>()
  let [count, bytes] = [0, 0]
  for (const each of waiting) {
    const key = keyOf?.(each.act)
    bytes += each.bytes
    if (count > 0 && (count >= most || bytes > mostBytes)) break
    if (key !== undefined && keys.size === keys.add(key).size) break
    count += 1
  }
  return waiting.splice(0, count)
}

/** Never rejects: whoever acts hears it. */
async function perform<Act, Answer>(
  sharing: Sharing<Act, Answer>,
  database: Database,
  batch: readonly Waiting<Act, Answer>[],
): Promise<void> {
  const [first, second] = batch
  if (!first) return
  try {
    const answers = await sharing.perform(
      database,
      batch.map(({ act }) => act),
    )
    batch.forEach(({ answered }, index) => {
      const answer = answers[index]
      if (answer === undefined) answered.reject(new Error('An act has no answer.'))
      else answered.resolve(answer)
    })
  } catch (error) {
    if (!second) first.answered.reject(error)
    else for (const each of batch) await perform(sharing, database, [each])
  }
}
