import { compileCondition } from './condition.ts'
import type { EdgeTrigger, WorkflowNode } from './definition.ts'
import type { Place, Position, ProblemList } from './problem.ts'
import { readErrorFields } from './read-error-handling.ts'
import type { DraftErrorHandling } from './read-error-handling.ts'
import { Fields } from './read-fields.ts'
import type { StepReference } from './read-fields.ts'
import { readInputs } from './read-inputs.ts'
import type { PlacedInput } from './read-inputs.ts'
import { kindOf } from './tree.ts'
import type { Tree } from './tree.ts'

/** A way out of a step, before its target is looked up. */
export type DraftExit = { readonly on: EdgeTrigger; readonly to: StepReference; readonly when?: string }

/** A step as written, before the steps are linked. */
export type DraftStep = {
  readonly node: WorkflowNode
  readonly place: Place
  /** Where the agent is named. */
  readonly agentPlace?: Place
  readonly exits: readonly DraftExit[]
  /** Set when the step after this one follows on this trigger, because nothing else was written. */
  readonly fallsThroughOn?: EdgeTrigger
  readonly inputs: readonly PlacedInput[]
  /** Names its conditions read. */
  readonly variables: readonly { readonly name: string; readonly place: Place }[]
}

type Branches = {
  readonly exits: DraftExit[]
  readonly variables: { name: string; place: Place }[]
  readonly hasDefault: boolean
}

const KINDS: Readonly<Record<string, WorkflowNode['kind']>> = {
  task: 'task',
  agent: 'task',
  conditional: 'condition',
  condition: 'condition',
  review: 'review',
  human_review: 'review',
  end: 'end',
}

/** Reads the body of one step; undefined when it is no step at all. `id` is its name without number prefix. */
export function readStep(
  id: string,
  tree: Tree,
  place: Place,
  defaults: DraftErrorHandling,
  problems: ProblemList,
): DraftStep | undefined {
  if (tree.kind !== 'map') {
    problems.add(
      'wrong_type',
      tree,
      `The step "${id}" must be a mapping, not ${kindOf(tree)}.`,
      'Give it an agent, or type: conditional, review or end.',
    )
    return undefined
  }
  const fields = new Fields(tree, place, problems)
  fields.take('name')
  const kind = kindOfStep(fields, problems)
  const description = fields.text('description')
  const about = { id, ...(description === undefined ? {} : { description }) }
  const step = kind && readKind(kind, about, fields, defaults, problems)
  if (step) fields.refuseOthers()
  return step
}

function kindOfStep(fields: Fields, problems: ProblemList): WorkflowNode['kind'] | undefined {
  const written = fields.text('type')
  if (written !== undefined) {
    const kind = Object.hasOwn(KINDS, written) ? KINDS[written] : undefined
    if (!kind)
      problems.add(
        'wrong_type',
        fields.take('type')?.value ?? fields.place,
        `"${written.slice(0, 80)}" is no type of step.`,
        `Known: ${Object.keys(KINDS).join(', ')}.`,
      )
    return kind
  }
  if (fields.has('condition') || fields.has('branches')) return 'condition'
  return fields.has('question') || fields.has('if_rejected') ? 'review' : 'task'
}

function readKind(
  kind: WorkflowNode['kind'],
  about: { id: string },
  fields: Fields,
  defaults: DraftErrorHandling,
  problems: ProblemList,
): DraftStep {
  if (kind === 'end')
    return { node: { ...about, kind }, place: fields.place, exits: [], inputs: [], variables: [] }
  if (kind === 'condition') return readConditionStep(about, fields, problems)
  const inputTree = fields.take('input')?.value
  const inputs = inputTree ? readInputs(inputTree, problems) : []
  const bindings = inputs.map((input) => input.binding)
  const output = fields.identifier('output')
  const shared = { ...about, inputs: bindings, ...(output === undefined ? {} : { output }) }
  return kind === 'review'
    ? readReviewStep(shared, inputs, fields)
    : readTaskStep(shared, inputs, fields, defaults)
}

function readTaskStep(
  shared: { id: string; inputs: PlacedInput['binding'][] },
  inputs: PlacedInput[],
  fields: Fields,
  defaults: DraftErrorHandling,
): DraftStep {
  const agent = fields.text('agent')
  fields.missing(
    'agent',
    'missing_agent',
    'Name the agent that does this step, or give the step another type.',
  )
  const { retry, timeoutMs, fallback } = readErrorFields(fields, defaults)
  const next = fields.reference('next')
  return {
    node: { ...shared, kind: 'task', agent: agent ?? '', retry, timeoutMs },
    place: fields.place,
    agentPlace: fields.take('agent')?.value ?? fields.place,
    exits: [...exitTo('done', next), ...exitTo('failed', fallback)],
    ...(next ? {} : { fallsThroughOn: 'done' as const }),
    inputs,
    variables: [],
  }
}

function readReviewStep(
  shared: { id: string; inputs: PlacedInput['binding'][] },
  inputs: PlacedInput[],
  fields: Fields,
): DraftStep {
  const role = fields.text('role') ?? 'approver'
  const question = fields.text('question') ?? ''
  fields.missing('question', 'missing_key', 'Say what the person decides.')
  const deadlineMs = fields.seconds('deadline_seconds', { min: 1, max: 366 * 86_400 })
  const approved = fields.reference('if_approved')
  const rejected = fields.reference('if_rejected')
  fields.missing('if_rejected', 'missing_key', 'Name the step a rejection leads to, or end.')
  return {
    node: { ...shared, kind: 'review', role, question, ...(deadlineMs === undefined ? {} : { deadlineMs }) },
    place: fields.place,
    exits: [
      ...exitTo('approved', approved),
      ...exitTo('rejected', rejected),
      ...exitTo('expired', fields.reference('if_expired')),
      ...exitTo('failed', fields.reference('fallback_action')),
    ],
    ...(approved ? {} : { fallsThroughOn: 'approved' as const }),
    inputs,
    variables: [],
  }
}

function readConditionStep(about: { id: string }, fields: Fields, problems: ProblemList): DraftStep {
  const { exits, variables, hasDefault } = fields.has('branches')
    ? readBranches(fields, problems)
    : readIfElse(fields, problems)
  return {
    node: { ...about, kind: 'condition' },
    place: fields.place,
    exits: [...exits, ...exitTo('failed', fields.reference('fallback_action'))],
    ...(hasDefault ? {} : { fallsThroughOn: 'done' as const }),
    inputs: [],
    variables,
  }
}

function readIfElse(fields: Fields, problems: ProblemList): Branches {
  const condition = fields.take('condition')?.value
  fields.missing('condition', 'missing_key', 'Write the condition, as quality.confidence > 0.8.')
  fields.missing('if_true', 'missing_key', 'Name the step to go to when the condition holds, or end.')
  const ifTrue = fields.reference('if_true')
  const ifFalse = fields.reference('if_false')
  const when = condition && readCondition(condition, problems)
  return {
    exits: [...branchTo(ifTrue, when), ...exitTo('done', ifFalse)],
    variables: when?.variables ?? [],
    hasDefault: ifFalse !== undefined || fields.has('if_false'),
  }
}

function readBranches(fields: Fields, problems: ProblemList): Branches {
  const branches: Branches = { exits: [], variables: [], hasDefault: fields.has('default') }
  const list = fields.take('branches')?.value
  const items = list?.kind === 'list' ? list.items : []
  if (items.length === 0)
    problems.add(
      'wrong_type',
      list ?? fields.place,
      '"branches" must be a list with at least one branch.',
      'Each branch is {when: <expression>, next: <step>}.',
    )
  for (const item of items) {
    if (item.kind !== 'map') {
      problems.add(
        'wrong_type',
        item,
        `A branch must be a mapping, not ${kindOf(item)}.`,
        'Each branch is {when: <expression>, next: <step>}.',
      )
      continue
    }
    const branch = new Fields(item, item, problems)
    const condition = branch.take('when')?.value
    const to = branch.reference('next')
    branch.missing('when', 'missing_key', 'Write the condition of this branch.')
    branch.missing('next', 'missing_key', 'Name the step of this branch, or end.')
    branch.refuseOthers()
    const when = condition && readCondition(condition, problems)
    branches.exits.push(...branchTo(to, when))
    branches.variables.push(...(when?.variables ?? []))
  }
  branches.exits.push(...exitTo('done', fields.reference('default')))
  return branches
}

function readCondition(
  tree: Tree,
  problems: ProblemList,
): { text: string; variables: { name: string; place: Place }[] } | undefined {
  if (tree.kind !== 'scalar' || tree.value === null || typeof tree.value === 'number') {
    problems.add(
      'invalid_expression',
      tree,
      `A condition must be an expression, not ${kindOf(tree)}.`,
      'For example quality.confidence > 0.8.',
    )
    return undefined
  }
  const text = String(tree.value).trim()
  const compiled = compileCondition(text)
  if (compiled.ok)
    return { text, variables: compiled.condition.variables.map((name) => ({ name, place: tree })) }
  const at = shift(tree.textAt, compiled.offset) ?? tree.at
  problems.add(
    'invalid_expression',
    { path: tree.path, at },
    `The condition is not valid: ${compiled.message}`,
    compiled.hint,
  )
  return undefined
}

function shift(start: Position | undefined, columns: number): Position | undefined {
  return start && { line: start.line, column: start.column + columns }
}

function exitTo(on: EdgeTrigger, to: StepReference | undefined): DraftExit[] {
  return to ? [{ on, to }] : []
}

/** A branch whose condition was refused is still looked up, so that its target is checked in the same reading. */
function branchTo(to: StepReference | undefined, when: { text: string } | undefined): DraftExit[] {
  return to ? [{ on: 'done', to, when: when?.text ?? 'false' }] : []
}
