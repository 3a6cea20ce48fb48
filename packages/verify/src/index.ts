export {
  type Fault,
  type FaultKind,
  type Report,
  type VerifySettings,
  verifyRecord,
} from './verify-record.ts'
