import { isAction, CLASSIFICATIONS, RISKS } from '@tutti/schema'
import { z } from 'zod'
import { jsonObject } from '../input/json-value.ts'
import { line } from '../input/text.ts'
import { oneOf } from '../policies/policy-input.ts'

const orNull = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? null)

const empty = () =>
  jsonObject()
    .nullish()
    .transform((value) => value ?? {})

/** A question as a client asks it. */
export const questionSchema = z.object({
  action: line().refine(isAction, 'There is no such action; the query actions lists them.'),
  resource: z
    .object({
      type: orNull(line()),
      id: orNull(line()),
      name: orNull(line()),
      domain: orNull(line()),
      team: orNull(line()),
      owner: orNull(line()),
      attributes: empty(),
    })
    .nullish()
    .transform((resource) => resource ?? undefined),
  arguments: empty(),
  context: z
    .object({
      amount: orNull(z.number()),
      risk: orNull(oneOf(RISKS)),
      classification: orNull(oneOf(CLASSIFICATIONS)),
    })
    .nullish()
    .transform((context) => context ?? undefined),
})
