import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Context } from '../context.ts'
import type { Model } from './model.ts'
import { readModels } from './read-models.ts'

const LONGEST_ID = 400

/** One page of the models that the organization sees, in the order of their ids. */
export async function listModels(
  context: Pick<Context, 'database' | 'actor'>,
  { first, after }: PageArguments,
): Promise<Connection<Model>> {
  const { take } = readPage({ first })
  // Ids are texts here, not UUIDs, so that the cursor is any text of an id's length.
  const afterId = after == null ? '' : Buffer.from(after, 'base64url').toString()
  if (after != null && (afterId === '' || afterId.length > LONGEST_ID))
    fail('CURSOR_INVALID', { path: 'after' })
  const models = [...(await readModels(context, context.actor)).values()]
  return connectionOf(models.filter(({ id }) => id > afterId).slice(0, take), take)
}
