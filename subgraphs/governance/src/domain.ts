export {
  type Bootstrapped,
  bootstrapDevelopment,
  DEVELOPMENT_ORGANIZATION,
} from './access/bootstrap-development.ts'
export { type Credential, identify } from './access/identify.ts'
export { type ApprovalDecision, approvalDecision } from './approvals/approval-decision.ts'
export type { ApprovalRow } from './approvals/approval-row.ts'
export { withdrawApprovals } from './approvals/withdraw-approvals.ts'
export { requestApproval, type RequestApprovalInput } from './approvals/request-approval.ts'
export { settleDueApprovals } from './approvals/settle-due-approvals.ts'
export { useApproval, type Use, type UseApprovalInput } from './approvals/use-approval.ts'
export { appendAuditEntry, type AppendAuditEntryInput } from './audit/append-audit-entry.ts'
export { type Denial, recordDenial } from './audit/record-denial.ts'
export { type AuthorizationQuestion, authorize } from './authority/authorize.ts'
export { requireAuthority } from './authority/require-authority.ts'
export type { Authorization, Ruling } from './authority/rule.ts'
export type { DomainServices } from './context.ts'
export type { EscalationRow } from './escalations/escalation-row.ts'
export { openEscalation, type OpenEscalationInput } from './escalations/open-escalation.ts'
export type { IncidentRow } from './incidents/incident-row.ts'
export { openIncidentForCause, type OpenIncidentForCauseInput } from './incidents/open-incident-for-cause.ts'
