import { asTag, type BrandGuidelines, wordsUsed } from './brand-guidelines.ts'
import type { Trend } from './find-trends.ts'
import { longestOf } from './post-length.ts'

/** A post that is not out yet. */
export interface Post {
  text: string
  /** The trend it takes up; null when none could be. */
  topic: string | null
  content_type: string
  /** `rules`, or the model's name. */
  written_by: string
}

/** What a post is made from. */
export interface PostRequest {
  trends: readonly Trend[]
  guidelines: BrandGuidelines
  contentType: string
}

/** The first trend that the brand does not avoid. */
export function trendFor({ trends, guidelines }: PostRequest): Trend | undefined {
  return trends.find(({ topic, example }) => wordsUsed(`${topic} ${example}`, guidelines.avoid).length === 0)
}

/**
 * A post by rules: what people say of the strongest trend, what the brand offers, its question to the reader, hashtags.
 * What does not fit is left out from the end, the hashtags of the brand last.
 */
export function composePost(request: PostRequest): Post {
  const { guidelines, contentType } = request
  const { brand, offer, call_to_action: ask, hashtags } = guidelines
  const trend = trendFor(request)
  const tags = new Set([...(trend ? [trend.topic] : []), ...hashtags].map(asTag))
  const parts = [trend ? sentence(trend.example) : '', sentence(offer || brand), sentence(ask)]
  const limit = longestOf(contentType)
  let text = [...tags].join(' ')
  for (let count = parts.length; count > 0; count--) {
    const whole = [...parts.slice(0, count), ...tags].filter(Boolean).join(' ')
    if (whole.length > limit) continue
    text = whole
    break
  }
  return {
    text: text.slice(0, limit),
    topic: trend?.topic ?? null,
    content_type: contentType,
    written_by: 'rules',
  }
}

const sentence = (text: string): string => (/[\p{L}\p{N}]$/u.test(text) ? `${text}.` : text)
