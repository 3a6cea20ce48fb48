import { z } from 'zod'

// What the steps of the customer service workflow hand to each other. Inputs come by name; what is missing (a step
// that failed before) is null, and every agent does its best without it.

const articleSchema = z.object({
  id: z.string(),
  title: z.string(),
  body: z.string(),
  score: z.number(),
  language: z.string().nullish(),
  tags: z.array(z.string()).optional(),
  intents: z.array(z.string()).optional(),
})

export const intentClassification = z.object({ intent: z.string().nullable(), confidence: z.number() })

/** Articles as the knowledge step found them, and the intent it looked by. */
export const relevantKnowledge = z.object({
  articles: z.array(articleSchema),
  intent: intentClassification.optional(),
})

export const sentimentAnalysis = z.object({
  label: z.enum(['positive', 'neutral', 'negative', 'angry']),
  score: z.number(),
  language: z.enum(['en', 'de', 'es', 'fr']),
})

/** The draft, with all that judging it needs. */
export const draftResponse = z.looseObject({
  text: z.string(),
  question: z.string(),
  sources: z.array(z.object({ id: z.string(), title: z.string(), body: z.string() })),
  unanswered: z.array(z.string()),
  confidence: z.number(),
  flags: z.array(z.string()),
})

export const qualityAssessment = z.looseObject({
  confidence: z.number(),
  flags: z.array(z.string()).default([]),
  recommendations: z.array(z.string()).default([]),
})

/** The customer's message; anything but a text counts as an empty one. */
export const customerMessage = z.string().catch('')
