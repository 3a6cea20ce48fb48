import { z } from 'zod'

const post = z.object({
  /** Before today; 0 is today. */
  days_ago: z.int().min(0),
  audience: z.string().default(''),
  text: z.string().min(1),
})

/** What somebody posted, as a feed has it. */
export type FeedPost = z.output<typeof post>

/** A feed cannot be read; the message names the line. */
export class FeedError extends Error {
  override name = 'FeedError'
}

/** Reads a feed: JSONL, one post a line. Rejects the first line that is none with {@link FeedError}. */
export function readPosts(text: string): FeedPost[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const read = post.safeParse(parse(line))
    if (read.success) return [read.data]
    throw new FeedError(`Line ${index + 1} is no post: {"days_ago": 0, "audience": "...", "text": "..."}.`)
  })
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
