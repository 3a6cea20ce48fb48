export { judgeQualityWithModel } from './judge-quality-with-model.ts'
export type { ModelJudgement } from './judge-quality-with-model.ts'
