import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  brandGuidelines,
  composePost,
  FeedError,
  findTrends,
  nextSlot,
  readPosts,
  reviewPost,
} from './index.ts'

const post = (days_ago: number, text: string, audience = 'home brewers') => ({ days_ago, audience, text })
const asked = { audience: 'home brewers', business: 'roaster', days: 7 }

describe('trends', () => {
  it('are what more people speak of than before, not what most do', () => {
    const posts = [
      ...Array.from({ length: 6 }, () => post(1, 'Monday #coffee')),
      ...Array.from({ length: 6 }, () => post(8, 'Monday #coffee')),
      post(3, 'Twelve hours in the fridge #ColdBrew'),
      post(1, 'Mine has  orange peel #coldbrew #coldbrew'),
    ]
    expect(findTrends(posts, asked)).toEqual([
      { topic: 'coldbrew', mentions: 2, before: 0, rise: 3, example: 'Mine has orange peel' },
      { topic: 'coffee', mentions: 6, before: 6, rise: 1, example: 'Monday' },
    ])
  })

  it('are of the audience; of all posts when none is for it', () => {
    const posts = [post(1, '#a'), post(1, '#a'), post(1, '#b', 'offices'), post(2, '#b', 'offices')]
    const topics = (audience: string) => findTrends(posts, { ...asked, audience }).map(({ topic }) => topic)
    expect([topics('people in offices'), topics('brewers'), topics('sailors')]).toEqual([
      ['b'],
      ['a'],
      ['a', 'b'],
    ])
  })

  it('need two posts, and none older than twice the time counts', () => {
    expect(findTrends([post(0, '#once'), post(20, '#once')], asked)).toEqual([])
  })

  it('of a feed with a line that is no post are refused, with the line', () => {
    expect(() => readPosts('{"days_ago": 1, "text": "x"}\n\n{"days_ago": -1, "text": "x"}')).toThrow('Line 3')
    expect(() => readPosts('a, b')).toThrow(FeedError)
  })
})

const guidelines = brandGuidelines.parse({
  brand: 'Lindgren & Voss',
  offer: 'Lindgren & Voss roasts a light one for it',
  call_to_action: 'How do you brew yours?',
  hashtags: ['#LindgrenVoss'],
  avoid: ['instant coffee'],
})
const trend = (topic: string, example: string) => ({ topic, mentions: 3, before: 0, rise: 4, example })

describe('a post', () => {
  it('takes up the strongest trend that the brand does not avoid, and is worth the most', () => {
    const request = {
      trends: [trend('instant', 'Instant-coffee is back'), trend('coldbrew', 'Twelve hours in the fridge')],
      guidelines,
      contentType: 'short_post',
    }
    const made = composePost(request)
    expect(made).toMatchObject({ topic: 'coldbrew', written_by: 'rules' })
    expect(made.text).toBe(
      'Twelve hours in the fridge. Lindgren & Voss roasts a light one for it. How do you brew yours? #coldbrew #LindgrenVoss',
    )
    expect(reviewPost(made, guidelines)).toEqual({ quality_score: 1, brand_alignment: 1, notes: [] })
  })

  it.each([
    ['LOOK AT LINDGREN & VOSS!!', { quality_score: 0, brand_alignment: 0.4 }],
    ['Lindgren & Voss has Instant coffee now, what do you say? #lindgrenvoss', { brand_alignment: 0.5 }],
    ['Lindgren & Voss', { quality_score: 0.5, brand_alignment: 0.8 }],
  ])('is worth less for each thing wrong with it: %s', (text, scores) => {
    const review = reviewPost({ text, content_type: 'short_post' }, guidelines)
    expect(review).toMatchObject(scores)
    expect(review.notes).not.toEqual([])
  })

  it('is never longer than its kind may be, and never judged outside of 0 to 1', () => {
    const text = fc.string({ unit: 'binary', maxLength: 400 })
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), text, text, (pairs, brand, offer) => {
        const own = brandGuidelines.parse({ brand, offer, hashtags: pairs.map(([tag]) => tag) })
        const trends = pairs.map(([topic, example]) => trend(topic, example))
        const made = composePost({ trends, guidelines: own, contentType: 'short_post' })
        expect(made.text.length).toBeLessThanOrEqual(280)
        const { quality_score, brand_alignment } = reviewPost(made, own)
        for (const score of [quality_score, brand_alignment]) {
          expect(score).toBeGreaterThanOrEqual(0)
          expect(score).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  it.each([
    ['2026-11-21T08:59:59.999Z', '2026-11-21T09:00:00.000Z'],
    ['2026-11-21T09:00:00.000Z', '2026-11-22T09:00:00.000Z'],
    ['2026-12-31T23:00:00.000Z', '2027-01-01T09:00:00.000Z'],
  ])('made at %s goes out at %s', (made, out) => {
    expect(nextSlot(new Date(made), 9).toISOString()).toBe(out)
  })
})
