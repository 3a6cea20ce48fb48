import { asTag, type BrandGuidelines, wordsUsed } from './brand-guidelines.ts'
import { longestOf } from './post-length.ts'

/** What a post is worth, and what was noticed. Scores from 0 to 1. */
export interface PostReview {
  quality_score: number
  brand_alignment: number
  notes: string[]
}

const SHORTEST = 40
const MOST_TAGS = 5

/** Judges a post by rules: each thing that is wrong with it takes its part from one of the scores, and is noted. */
export function reviewPost(
  { text, content_type: contentType }: { text: string; content_type: string },
  guidelines: BrandGuidelines,
): PostReview {
  const { brand, hashtags, avoid } = guidelines
  const tags = text.match(/#[\p{L}\p{N}_]+/gu) ?? []
  const letters = text.match(/\p{L}/gu) ?? []
  const capitals = text.match(/\p{Lu}/gu) ?? []
  const words = wordsUsed(text, avoid)
  const missing = hashtags
    .map(asTag)
    .filter((tag) => !tags.some((used) => used.toLowerCase() === tag.toLowerCase()))
  const longest = longestOf(contentType)
  const quality = [
    { wrong: text.length < SHORTEST, costs: 0.4, note: 'It says too little.' },
    { wrong: text.length > longest, costs: 0.4, note: `It is longer than ${longest} characters.` },
    { wrong: capitals.length > letters.length * 0.4, costs: 0.4, note: 'It shouts.' },
    { wrong: /[!?]{2}/.test(text), costs: 0.25, note: 'It has more than one mark in a row.' },
    { wrong: tags.length > MOST_TAGS, costs: 0.25, note: `It has more than ${MOST_TAGS} hashtags.` },
    { wrong: !text.includes('?'), costs: 0.1, note: 'It asks the reader nothing.' },
  ]
  const alignment = [
    {
      wrong: brand !== '' && !text.includes(brand),
      costs: 0.4,
      note: 'It does not name the brand as it is written.',
    },
    { wrong: words.length > 0, costs: 0.5, note: `The brand avoids: ${words.join(', ')}.` },
    { wrong: missing.length > 0, costs: 0.2, note: `Missing: ${missing.join(' ')}.` },
  ]
  return {
    quality_score: scoreOf(quality),
    brand_alignment: scoreOf(alignment),
    notes: [...quality, ...alignment].flatMap(({ wrong, note }) => (wrong ? [note] : [])),
  }
}

function scoreOf(rules: readonly { wrong: boolean; costs: number }[]): number {
  const lost = rules.reduce((sum, { wrong, costs }) => (wrong ? sum + costs : sum), 0)
  return Math.max(0, Math.round((1 - lost) * 100) / 100)
}
