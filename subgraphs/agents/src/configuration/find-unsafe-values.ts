import type { Problem } from '@tutti/schema'
import { YAML_LIMITS } from './read-yaml.ts'

type Found = Omit<Problem, 'path'> & { at: readonly (string | number)[]; ofKey?: boolean }

const UNSAFE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * What the database or a prototype could stumble over, anywhere in a document: keys like `__proto__`, the NUL
 * character, broken surrogate pairs, numbers without end, too many values, circles made of aliases.
 */
export function findUnsafeValues(root: unknown): Found[] {
  const found: Found[] = []
  let values = 0
  const visit = (value: unknown, path: readonly (string | number)[]): void => {
    values += 1
    if (values > YAML_LIMITS.values || path.length > YAML_LIMITS.depth) {
      if (!found.some((each) => each.code === 'too_complex')) {
        found.push({
          code: 'too_complex',
          at: path,
          message: 'The document is nested too deeply or holds too much.',
        })
      }
      return
    }
    if (typeof value === 'string' && !isStorable(value)) {
      found.push({
        code: 'invalid_text',
        at: path,
        message: 'A text must not hold the NUL character or half a character.',
      })
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      found.push({ code: 'invalid_number', at: path, message: 'A number must be finite.' })
    }
    if (Array.isArray(value)) value.forEach((each, index) => visit(each, [...path, index]))
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        if (UNSAFE_KEYS.has(key) || !isStorable(key)) {
          found.push({
            code: 'unsafe_key',
            at: [...path, key],
            ofKey: true,
            message: `The key ${JSON.stringify(key)} is not allowed.`,
          })
        } else visit(inner, [...path, key])
      }
    }
  }
  visit(root, [])
  return found.slice(0, 100)
}

/** Whether PostgreSQL can keep a text: no NUL, no lone surrogate. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()
