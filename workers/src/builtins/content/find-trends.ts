import type { FeedPost } from './read-posts.ts'

/** A subject that rises. */
export interface Trend {
  /** Its hashtag without the `#`, in small letters. */
  topic: string
  /** Posts with it in the time asked about, and in as long a time before. */
  mentions: number
  before: number
  /** (mentions + 1) / (before + 1): 1 is no change. */
  rise: number
  /** The newest post about it, without hashtags. */
  example: string
}

const MOST_TRENDS = 5
/** One post is nobody's trend. */
const LEAST_MENTIONS = 2

/**
 * The subjects that rise most in the last `days` among the posts for an audience: those that share a word with it or
 * with the business; all posts where none does. Strongest first; by name where they are equal.
 */
export function findTrends(
  posts: readonly FeedPost[],
  { audience, business, days }: { audience: string; business: string; days: number },
): Trend[] {
  const wanted = new Set([...wordsOf(audience), ...wordsOf(business)])
  const meant = posts.filter((post) => wordsOf(post.audience).some((word) => wanted.has(word)))
  const topics = new Map<string, { now: FeedPost[]; before: number }>()
  for (const post of meant.length > 0 ? meant : posts) {
    for (const topic of topicsOf(post.text)) {
      const seen = topics.get(topic) ?? { now: [], before: 0 }
      topics.set(topic, seen)
      if (post.days_ago < days) seen.now.push(post)
      else if (post.days_ago < 2 * days) seen.before += 1
    }
  }
  return [...topics]
    .flatMap(([topic, { now, before }]) => {
      const [newest] = now.toSorted((a, b) => a.days_ago - b.days_ago)
      if (!newest || now.length < LEAST_MENTIONS) return []
      const rise = (now.length + 1) / (before + 1)
      return [{ topic, mentions: now.length, before, rise, example: withoutTags(newest.text) }]
    })
    .sort((a, b) => b.rise - a.rise || b.mentions - a.mentions || (a.topic < b.topic ? -1 : 1))
    .slice(0, MOST_TRENDS)
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/\p{L}{3,}/gu) ?? []

const topicsOf = (text: string): Set<string> =>
  new Set(Array.from(text.matchAll(/#([\p{L}\p{N}_]+)/gu), ([, tag = '']) => tag.toLowerCase()))

const withoutTags = (text: string): string =>
  text
    .replaceAll(/#[\p{L}\p{N}_]+/gu, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
