export { recordOutcomes } from './outcomes/record-outcomes.ts'
export { assessQuality, type AssessQualityRequest } from './quality/assess-quality.ts'
export type { AssessmentRow } from './quality/assessment-row.ts'
export { type AssessmentToRecord, recordAssessment } from './quality/record-assessment.ts'
