export { createExecutor } from './create-executor.ts'
export { type Egress, openEgress } from './open-egress.ts'
