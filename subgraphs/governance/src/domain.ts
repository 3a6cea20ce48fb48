export {
  type Bootstrapped,
  bootstrapDevelopment,
  DEVELOPMENT_ORGANIZATION,
} from './access/bootstrap-development.ts'
export { type Credential, identify } from './access/identify.ts'
export { type ApprovalDecision, approvalDecision, approvalDecisions } from './approvals/approval-decision.ts'
export type { ApprovalRow } from './approvals/approval-row.ts'
export { withdrawApprovals } from './approvals/withdraw-approvals.ts'
export { requestApproval, type RequestApprovalInput } from './approvals/request-approval.ts'
export { settleDueApprovals } from './approvals/settle-due-approvals.ts'
export { useApproval, type Use, type UseApprovalInput } from './approvals/use-approval.ts'
export { appendAuditEntry, type AppendAuditEntryInput } from './audit/append-audit-entry.ts'
export {
  deleteOldExportParts,
  findExports,
  type PartSize,
  type RunningExport,
  workExport,
} from './audit-exports/work-export.ts'
export { pruneAudit } from './audit-retention/prune-audit.ts'
export { eraseSubject } from './erasure/erase-subject.ts'
export { setLegalHold } from './audit-retention/legal-holds.ts'
export { exportAudit } from './audit-exports/export-audit.ts'
export { type Denial, recordDenial } from './audit/record-denial.ts'
export { readAuditKey } from './chain/read-audit-key.ts'
export { type AuthorizationQuestion, authorize } from './authority/authorize.ts'
export type { Authorization, Ruling } from './authority/rule.ts'
export { type ExportRange, exportRecord } from './chain/export-record.ts'
export { openSealer, type Sealer, type SealerSettings } from './chain/open-sealer.ts'
export { publishCheckpoints } from './chain/publish-checkpoints.ts'
export type { DomainServices } from './context.ts'
export type { EscalationRow } from './escalations/escalation-row.ts'
export { openEscalation, type OpenEscalationInput } from './escalations/open-escalation.ts'
export { deleteOldLinks } from './links/delete-old-links.ts'
export { issueLink } from './links/issue-link.ts'
export { receiveDecision } from './links/receive-decision.ts'
export { claimNotifications } from './notifications/claim-notifications.ts'
export { deleteOldNotifications } from './notifications/delete-old-notifications.ts'
export type { NotificationRow } from './notifications/notification-row.ts'
export { planGlass } from './notifications/plan-glass.ts'
export { planIncident } from './notifications/plan-incident.ts'
export { planInformed } from './notifications/plan-informed.ts'
export { planApproval, planEscalation } from './notifications/plan-notifications.ts'
export { type Delivery, settleNotification } from './notifications/settle-notification.ts'
export { findPutAside, settlePutAside } from './put-aside/find-put-aside.ts'
export { putEventAside } from './put-aside/put-event-aside.ts'
export { raiseDueEscalations } from './escalations/raise-due-escalations.ts'
export { authorizeMutations, type MutationCall, type MutationRefusal } from './gates/authorize-mutations.ts'
export { answerScim } from './scim/answer-scim.ts'
export { answerLogin, type LoginAnswer, type LoginCall } from './sessions/answer-login.ts'
export { type Gate, type Obstacle, passGate, type Passage } from './gates/pass-gate.ts'
export type { IncidentRow } from './incidents/incident-row.ts'
export { openIncidentForCause, type OpenIncidentForCauseInput } from './incidents/open-incident-for-cause.ts'
