import { isActionPattern } from '@tutti/schema'
import { z } from 'zod'
import { HIGHER } from '../authority/levels.ts'
import { line, remark } from '../input/text.ts'
import { compilePolicyCondition } from './compile-policy-condition.ts'
import { EFFECTS } from './compile-policies.ts'
import { REDACTION_PATH } from './redact.ts'
import { stagesSchema } from './stage.ts'

/** A member of a list, in whatever case. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(words, { error: `One of ${words.join(', ')}.` }))

/** An action of the catalogue, or a pattern that is about one. */
export const actionPattern = () =>
  line().refine(isActionPattern, 'There is no such action; the query actions lists them.')

/** Nothing is absent where somebody said null. */
const list = <Item extends z.ZodType>(item: Item, most = 50) =>
  z
    .array(item)
    .max(most, `At most ${most}.`)
    .nullish()
    .transform((items) => items ?? [])

const condition = line(2_000)
  .superRefine((text, check) => {
    const compiled = compilePolicyCondition(text)
    if (compiled.ok) return
    for (const message of compiled.problems) check.addIssue({ code: 'custom', message })
  })
  .nullish()
  .transform((text) => text ?? null)

// A mistake of one field does not hide what is wrong between others.
const always = { when: () => true }

/** What a version of a policy says, with all mistakes at once. */
export const rulesSchema = z
  .object({
    description: remark()
      .nullish()
      .transform((text) => text ?? ''),
    actions: z.array(actionPattern()).min(1, 'At least one action, or *.').max(50, 'At most 50.'),
    condition,
    effect: oneOf(EFFECTS),
    stages: stagesSchema.nullish().transform((stages) => stages ?? []),
    escalateTo: oneOf(HIGHER)
      .nullish()
      .transform((level) => level ?? null),
    redact: list(
      line().refine(
        (path) => REDACTION_PATH.test(path),
        'A path as $.arguments.customer.email or $.arguments.items[*].card.',
      ),
    ),
    priority: z
      .int()
      .min(-1_000, 'At least -1000.')
      .max(1_000, 'At most 1000.')
      .nullish()
      .transform((priority) => priority ?? 0),
    effectiveFrom: z
      .date()
      .nullish()
      .transform((date) => date ?? null),
    effectiveUntil: z
      .date()
      .refine((date) => date.getTime() > Date.now(), 'Must be in the future.')
      .nullish()
      .transform((date) => date ?? null),
  })
  .refine(({ effect, stages }) => effect !== 'require_approval' || !isEmpty(stages), {
    path: ['stages'],
    message: 'Say who must approve.',
    ...always,
  })
  .refine(({ effect, stages }) => effect === 'require_approval' || effect === 'escalate' || isEmpty(stages), {
    path: ['stages'],
    message: 'Only with require_approval and escalate.',
    ...always,
  })
  .refine(({ effect, escalateTo }) => (effect === 'escalate') === (escalateTo != null), {
    path: ['escalateTo'],
    message: 'With escalate, and only with it: domain, enterprise or person.',
    ...always,
  })
  .refine(({ effect, redact }) => (effect === 'redact') !== isEmpty(redact), {
    path: ['redact'],
    message: 'With redact, and only with it: at least one path.',
    ...always,
  })
  .refine(({ effectiveFrom, effectiveUntil }) => !isAfter(effectiveFrom, effectiveUntil), {
    path: ['effectiveUntil'],
    message: 'Must be after effectiveFrom.',
    ...always,
  })

const isEmpty = (items: unknown): boolean => !Array.isArray(items) || items.length === 0

const isAfter = (from: unknown, until: unknown): boolean =>
  from instanceof Date && until instanceof Date && from.getTime() >= until.getTime()
