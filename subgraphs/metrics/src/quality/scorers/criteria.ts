import { z } from 'zod'

/** The five things an output is judged by. */
export const DIMENSIONS = [
  'content_quality',
  'brand_alignment',
  'factual_accuracy',
  'tone_consistency',
  'safety_compliance',
] as const
export type DimensionName = (typeof DIMENSIONS)[number]

const weight = z.number().min(0).max(1)
const phrase = z.string().trim().min(1).max(200)

/** What an organization asks of its agents' outputs: versioned data, kept per organization, workflow or agent type. */
export const qualityCriteria = z.object({
  version: z.int().positive().default(1),
  /** Below it recommendations are made (0 to 1). */
  minimumScore: z.number().min(0).max(1).default(0.75),
  /** How much each dimension counts; they need not sum to one. */
  weights: z
    .object({
      content_quality: weight.default(0.3),
      brand_alignment: weight.default(0.15),
      factual_accuracy: weight.default(0.25),
      tone_consistency: weight.default(0.15),
      safety_compliance: weight.default(0.15),
    })
    .prefault({}),
  /** Words a reply must not have, whatever their case and accents. */
  bannedPhrases: z.array(phrase).max(500).default([]),
  /** Words every reply must have. */
  requiredPhrases: z.array(phrase).max(100).default([]),
  /** Topics that a person decides: a question with one of their phrases is never answered alone. */
  sensitiveTopics: z
    .array(z.object({ topic: phrase, phrases: z.array(phrase).min(1).max(200) }))
    .max(100)
    .optional(),
  /** `strict`: a number that no source has counts double; `none`: claims are not checked. */
  factCheckLevel: z.enum(['none', 'standard', 'strict']).default('standard'),
  /** Longest reply in characters that still reads as one. */
  maximumCharacters: z.int().positive().default(6000),
})
export type QualityCriteria = z.infer<typeof qualityCriteria>

/** The criteria of an organization that has set none. */
export const DEFAULT_CRITERIA: QualityCriteria = qualityCriteria.parse({})
