import { fail, type Problem } from '@tutti/schema'
import type { z } from 'zod'

/**
 * Parses what a caller gave by a zod schema. BAD_INPUT lists every mistake with its path below `root`
 * (`input.articles.3.title`); the error's own path is that of the first.
 */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  root = 'input',
): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems: Problem[] = parsed.error.issues.slice(0, 100).map((issue) => ({
    code: issue.code,
    message: issue.message,
    path: [root, ...issue.path.map(String)].join('.'),
  }))
  const [first] = problems
  fail('BAD_INPUT', {
    problems,
    ...(first ? { path: first.path ?? root, message: first.message } : {}),
  })
}
