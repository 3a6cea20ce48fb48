import { createHash } from 'node:crypto'
import { canonicalJson } from '@tutti/schema'
import type { Authorization } from '../authority/rule.ts'

/**
 * SHA-256 in hex of whose yes a ruling asks for. A question is asked under it, so that a yes to weaker rules is none to those
 * that hold now.
 */
export function demandsOf({
  ruling,
  stages,
  escalateTo,
}: Pick<Authorization, 'ruling' | 'stages' | 'escalateTo'>): string {
  return createHash('sha256').update(canonicalJson({ ruling, stages, escalateTo })).digest('hex')
}
