import { canonicalJson, isRecord } from '@tutti/schema'
import type { WorkflowDefinition } from '../definitions/index.ts'

/** A value that is not the same in both versions. `path` is dotted; lists are compared as a whole. */
export interface FieldChange {
  /** As `retry.maxAttempts`; `edges` are the step's edges in their order. */
  path: string
  /** Null where it was not there. */
  before: unknown
  /** Null where it is no more. */
  after: unknown
}

/** A step that one version has and the other has not, or has differently. */
export interface ChangedStep {
  step: string
  kind: 'added' | 'removed' | 'changed'
  fields: FieldChange[]
}

/** What lies between two versions. */
export interface DefinitionChanges {
  /** In the order of the later version; removed ones at the end. */
  steps: ChangedStep[]
  /** Of the workflow itself: its name, trigger, entry, defaults, limits and schemas. */
  settings: FieldChange[]
}

/** Compares what two definitions say, not how: order of keys, comments and layout make no difference. */
export function compareDefinitions(before: WorkflowDefinition, after: WorkflowDefinition): DefinitionChanges {
  const [stepsBefore, stepsAfter] = [stepsOf(before), stepsOf(after)]
  const names = [...stepsAfter.keys(), ...[...stepsBefore.keys()].filter((step) => !stepsAfter.has(step))]
  const steps = names.flatMap((step): ChangedStep[] => {
    const [old, young] = [stepsBefore.get(step), stepsAfter.get(step)]
    const fields = compareFields(old ?? {}, young ?? {}, '')
    if (!old) return [{ step, kind: 'added', fields }]
    if (!young) return [{ step, kind: 'removed', fields }]
    return fields.length > 0 ? [{ step, kind: 'changed', fields }] : []
  })
  return { steps, settings: compareFields(settingsOf(before), settingsOf(after), '') }
}

type Fields = Readonly<Record<string, unknown>>

/** The steps with their ways out, in the author's order. */
function stepsOf(definition: WorkflowDefinition): Map<string, Fields> {
  const edges = Map.groupBy(definition.edges, (edge) => edge.from)
  return new Map(
    definition.order.flatMap((id) => {
      if (!Object.hasOwn(definition.nodes, id)) return []
      const { id: _, ...node } = definition.nodes[id] ?? { id }
      const ways = (edges.get(id) ?? []).map(({ from: _from, ...way }) => way)
      return [[id, ways.length > 0 ? { ...node, edges: ways } : node] as const]
    }),
  )
}

function settingsOf({ nodes: _, edges: _edges, order: _order, ...settings }: WorkflowDefinition): Fields {
  return settings
}

function compareFields(before: Fields, after: Fields, prefix: string): FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names.flatMap((name) => {
    const [old, young] = [valueOf(before, name), valueOf(after, name)]
    const path = `${prefix}${name}`
    if (isRecord(old) && isRecord(young)) return compareFields(old, young, `${path}.`)
    if (canonicalJson(old) === canonicalJson(young)) return []
    return [{ path, before: old, after: young }]
  })
}

const valueOf = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? (fields[name] ?? null) : null
