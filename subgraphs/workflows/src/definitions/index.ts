export { compileCondition } from './condition.ts'
export type { Condition, ConditionOutcome } from './condition.ts'
export { compileExpression } from '@tutti/runtime/expressions'
export type { CompiledExpression, ExpressionOutcome } from '@tutti/runtime/expressions'
export type {
  Assignee,
  Compensation,
  Expression,
  Join,
  JsonSchema,
  LoopNode,
  MapNode,
  MessageNode,
  ParallelNode,
  SubworkflowNode,
  TransformNode,
  WaitNode,
  Edge,
  EdgeTrigger,
  InputBinding,
  NodeId,
  Given,
  Governed,
  PlanBounds,
  RetryPolicy,
  ReviewNode,
  TaskNode,
  WorkflowDefinition,
  WorkflowNode,
} from './definition.ts'
export { compileSchema, type SchemaCheck, type SchemaProblem } from '@tutti/runtime'
export { IMPLICIT_END } from './link-steps.ts'
export { DEFINITION_PROBLEMS } from './problem.ts'
export type { DefinitionProblem, DefinitionProblemCode } from './problem.ts'
export { readDefinition } from './read-definition.ts'
export type { ReadOptions, ReadResult } from './read-definition.ts'
export { isValueName } from './read-fields.ts'
export { writeDefinition } from './write-definition.ts'
export { definitionSchema } from './definition-schema.ts'
export { defineWorkflow } from './define-workflow.ts'
export type { WorkflowSettings } from './define-workflow.ts'
export { Steps } from './steps.ts'
export type { StepInput } from './steps.ts'
