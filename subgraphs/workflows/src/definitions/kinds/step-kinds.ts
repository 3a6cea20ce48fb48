import type { WorkflowNode } from '../definition.ts'
import type { Fields } from '../read-fields.ts'
import { conditionStep } from './condition-step.ts'
import { endStep } from './end-step.ts'
import { loopStep } from './loop-step.ts'
import { mapStep } from './map-step.ts'
import { messageStep } from './message-step.ts'
import { parallelStep } from './parallel-step.ts'
import { reviewStep } from './review-step.ts'
import type { StepKind, StepWriter, WrittenStep } from './step-kind.ts'
import { taskStep } from './task-step.ts'
import { transformStep } from './transform-step.ts'
import { waitStep } from './wait-step.ts'
import { workflowStep } from './workflow-step.ts'

type Kind = WorkflowNode['kind']
type KindTable = { readonly [K in Kind]: StepKind<Extract<WorkflowNode, { kind: K }>> }

/** Every kind of step. Where `type` is not written, the first kind that the keys tell is meant, else work of an agent. */
export const STEP_KINDS: KindTable = {
  map: mapStep,
  loop: loopStep,
  condition: conditionStep,
  parallel: parallelStep,
  workflow: workflowStep,
  wait: waitStep,
  transform: transformStep,
  review: reviewStep,
  message: messageStep,
  end: endStep,
  task: taskStep,
}

/** What `type` may say → the kind that it means. */
export const KINDS_BY_TYPE: ReadonlyMap<string, Kind> = new Map(
  kindNames().flatMap((kind) => STEP_KINDS[kind].types.map((type) => [type, kind])),
)

/** The names of the kinds. */
export function kindNames(): Kind[] {
  return Object.keys(STEP_KINDS).filter((name): name is Kind => Object.hasOwn(STEP_KINDS, name))
}

/** The kind that the keys of a step tell. */
export function kindOfKeys(fields: Fields): Kind {
  return kindNames().find((kind) => STEP_KINDS[kind].isMeantBy(fields)) ?? 'task'
}

/** The keys of a node's own kind. */
export function writeNode(node: WorkflowNode, writer: StepWriter): WrittenStep {
  switch (node.kind) {
    case 'task':
      return taskStep.write(node, writer)
    case 'condition':
      return conditionStep.write(node, writer)
    case 'review':
      return reviewStep.write(node, writer)
    case 'parallel':
      return parallelStep.write(node, writer)
    case 'map':
      return mapStep.write(node, writer)
    case 'loop':
      return loopStep.write(node, writer)
    case 'workflow':
      return workflowStep.write(node, writer)
    case 'wait':
      return waitStep.write(node, writer)
    case 'message':
      return messageStep.write(node, writer)
    case 'transform':
      return transformStep.write(node, writer)
    case 'end':
      return endStep.write(node, writer)
  }
}
