/** Characters that a kind of post may have; of other kinds {@link MOST_CHARACTERS}. */
const LIMITS: Readonly<Record<string, number>> = {
  short_post: 280,
  social_post: 500,
  newsletter_teaser: 1_000,
}

const MOST_CHARACTERS = 500

/** The most characters of a kind of post. */
export const longestOf = (contentType: string): number => LIMITS[contentType] ?? MOST_CHARACTERS
