import { buildSchema, findBreakingChanges, findDangerousChanges, type GraphQLSchema } from 'graphql'

/** The changes of the client's schema that can hurt a client, in graphql-js's words. */
export type ApiChanges = {
  /** Breaking, and nobody said it is meant: these fail the check. */
  unmarked: string[]
  /** Breaking and marked as meant. */
  marked: string[]
  /** May surprise a client, told and not refused. */
  dangerous: string[]
}

/**
 * Compares the client's schema with `base`, its SDL before. A breaking change is meant when a line of `marks` (the text
 * of schema/breaking-changes.md) is its exact description, with or without a list dash.
 */
export function apiChanges(base: string, now: GraphQLSchema, marks: string): ApiChanges {
  const before = buildSchema(base)
  const meant = new Set(marks.split('\n').map((line) => line.replace(/^\s*[-*]\s+/, '').trim()))
  const breaking = findBreakingChanges(before, now).map((change) => change.description)
  return {
    unmarked: breaking.filter((description) => !meant.has(description)),
    marked: breaking.filter((description) => meant.has(description)),
    dangerous: findDangerousChanges(before, now).map((change) => change.description),
  }
}
