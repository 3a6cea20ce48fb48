export {
  compileExpression,
  type CompiledExpression,
  type ExpressionEquality,
  type ExpressionOutcome,
  type ExpressionPath,
  type NoExpression,
  type ReadExpression,
} from './compile-expression.ts'
export { MOST_STEPS, type StepBudget } from './steps.ts'
