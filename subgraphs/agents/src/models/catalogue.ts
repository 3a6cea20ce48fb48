import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Model } from './model.ts'

const usd = z.string().regex(/^\d{1,8}(\.\d{1,6})?$/)
const entries = z.array(
  z.strictObject({
    provider: z.string(),
    name: z.string(),
    capabilities: z.array(z.string()),
    contextTokens: z.int().positive(),
    maxOutputTokens: z.int().positive(),
    premium: z.boolean(),
    prices: z.array(
      z.strictObject({
        validFrom: z.iso.datetime().transform((text) => new Date(text)),
        inputUsd: usd,
        outputUsd: usd,
        cachedUsd: usd,
      }),
    ),
  }),
)

/** The models that every organization knows without a row of its own, by id: list prices, and no say on quality. */
export const CATALOGUE: ReadonlyMap<string, Model> = new Map(
  entries
    .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'catalogue.json'), 'utf8')))
    .map((entry) => {
      const id = `${entry.provider}/${entry.name}`
      const open = { requestsPerMinute: null, tokensPerMinute: null, quality: {} }
      return [id, { ...entry, ...open, id, status: 'known', builtIn: true }]
    }),
)
