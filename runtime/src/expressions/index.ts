export {
  compileExpression,
  type CompiledExpression,
  type ExpressionOutcome,
  type NoExpression,
  type ReadExpression,
} from './compile-expression.ts'
