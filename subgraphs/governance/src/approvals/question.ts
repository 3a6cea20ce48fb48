import { RISKS } from '@tutti/schema'
import { z } from 'zod'
import { jsonValue } from '../input/json-value.ts'
import { line, prose } from '../input/text.ts'
import { stagesSchema } from './approval-stage.ts'
import { argumentsSchema } from './arguments-schema.ts'

/** What is asked of people: the same in a request of its own and within an escalation. */
export const questionSchema = z
  .object({
    title: line(),
    action: line(),
    arguments: jsonValue(),
    /** A text, or JSON. */
    preview: jsonValue().nullish(),
    risk: z.enum(RISKS, { error: `One of ${RISKS.join(', ')}.` }).nullish(),
    costUsd: z.number().min(0, 'Not below 0.').nullish(),
    /** Ids of those who wrote it. */
    authors: z.array(line()).max(100, 'At most 100.').nullish(),
    reason: prose(),
    stages: stagesSchema,
    /** Whether a decider may approve other arguments; yes unless said. */
    allowsChanges: z.boolean().nullish(),
    /** What those other arguments must look like; anything unless said. */
    argumentsSchema: argumentsSchema().nullish(),
    /** The end of it all, whatever its stages say. */
    expiresAt: z
      .date()
      .refine((date) => date.getTime() > Date.now(), 'Must be in the future.')
      .nullish(),
  })
  .superRefine(({ allowsChanges, argumentsSchema: schema }, check) => {
    if (allowsChanges === false && schema != null)
      check.addIssue({ code: 'custom', path: ['argumentsSchema'], message: 'It allows no other arguments.' })
  })
  .transform((given) => ({
    ...given,
    preview: given.preview ?? null,
    risk: given.risk ?? ('medium' as const),
    costUsd: given.costUsd ?? null,
    authors: given.authors ?? [],
    allowsChanges: given.allowsChanges ?? true,
    argumentsSchema: given.argumentsSchema ?? null,
    expiresAt: given.expiresAt ?? null,
  }))

/** A question, complete. */
export type Question = z.output<typeof questionSchema>
