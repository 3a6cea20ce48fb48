import { z } from 'zod'

/** What a brand wants of its posts. Whatever is missing asks for nothing. */
export const brandGuidelines = z.looseObject({
  /** As it is to be written in every post. */
  brand: z.string().default(''),
  /** A sentence about what it offers. */
  offer: z.string().default(''),
  /** What the reader is asked, or asked to do. */
  call_to_action: z.string().default(''),
  /** With or without the `#`. */
  hashtags: z.array(z.string()).default([]),
  /** Words that no post of it has; subjects with one are left alone. */
  avoid: z.array(z.string()).default([]),
})
export type BrandGuidelines = z.output<typeof brandGuidelines>

/** Whether a text has one of the words, as whole words in any case. */
export function wordsUsed(text: string, words: readonly string[]): string[] {
  const used = ` ${text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, ' ')} `
  return words.filter((word) => {
    const plain = word
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()
    return plain !== '' && used.includes(` ${plain} `)
  })
}

/** A hashtag with its `#`. */
export const asTag = (name: string): string => `#${name.replace(/^#/, '')}`
