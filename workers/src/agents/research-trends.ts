import { z } from 'zod'
import { FeedError, findTrends, readPosts } from '../builtins/content/index.ts'
import { type Executor, failed, succeeded } from '../executors/executor.ts'

const settingsSchema = z.object({ feed: z.string() })
const text = z.string().catch('')
const timeframe = z.string().regex(/^last_\d{1,3}_days$/)
const DAYS = 7

/** What the audience talks about more than before, from the feed that came with the agent. */
export const researchTrends: Executor = async ({ task, agent: { executor }, log }) => {
  const settings = settingsSchema.safeParse(executor.settings)
  const feed = settings.success ? executor.files[settings.data.feed] : undefined
  if (!feed) return failed('FEED_MISSING', 'settings.feed must name a file of posts given with the agent.')
  const asked = timeframe.safeParse(task.input['timeframe'])
  const days = asked.success ? Number(asked.data.split('_')[1]) : DAYS
  try {
    const posts = readPosts(feed.content)
    const topics = findTrends(posts, {
      audience: text.parse(task.input['target_audience']),
      business: text.parse(task.input['business_type']),
      days,
    })
    log('info', `${posts.length} posts read, ${topics.length} trends found.`)
    return succeeded({ days, topics })
  } catch (error) {
    if (error instanceof FeedError) return failed('FEED_INVALID', error.message)
    throw error
  }
}
