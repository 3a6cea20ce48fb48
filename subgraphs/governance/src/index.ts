import { defineSubgraph, mergeResolvers } from '@tutti/runtime'
import { accessResolvers } from './access/access.resolvers.ts'
import { approvalResolvers } from './approvals/approvals.resolvers.ts'
import { auditExportResolvers } from './audit-exports/audit-exports.resolvers.ts'
import { auditRetentionResolvers } from './audit-retention/audit-retention.resolvers.ts'
import { auditResolvers } from './audit/audit.resolvers.ts'
import { recordingFailures } from './audit/recording-failures.ts'
import { erasureResolvers } from './erasure/erasure.resolvers.ts'
import { authorityResolvers } from './authority/authority.resolvers.ts'
import { chainResolvers } from './chain/chain.resolvers.ts'
import type { Context, Services } from './context.ts'
import { escalationResolvers } from './escalations/escalations.resolvers.ts'
import { incidentResolvers } from './incidents/incidents.resolvers.ts'
import { onCallResolvers } from './on-call/on-call.resolvers.ts'
import { notificationResolvers } from './notifications/notifications.resolvers.ts'
import { policyResolvers } from './policies/policies.resolvers.ts'
import { putAsideResolvers } from './put-aside/put-aside.resolvers.ts'
import { sessionResolvers } from './sessions/sessions.resolvers.ts'

export { type Credential, identify } from './access/identify.ts'
export { type Denial, recordDenial } from './audit/record-denial.ts'
export { internalCalls } from './internal-calls.ts'
export { loginCalls } from './sessions/answer-login.ts'

/** Who may do what, who decided what, and what went wrong. */
export const governance = defineSubgraph<Services, Context>({
  name: 'governance',
  directory: import.meta.dirname,
  resolvers: recordingFailures(
    mergeResolvers(
      accessResolvers,
      sessionResolvers,
      auditResolvers,
      auditExportResolvers,
      auditRetentionResolvers,
      erasureResolvers,
      chainResolvers,
      approvalResolvers,
      escalationResolvers,
      incidentResolvers,
      putAsideResolvers,
      onCallResolvers,
      notificationResolvers,
      policyResolvers,
      authorityResolvers,
    ),
  ),
  context: (services, actor) => ({ ...services, actor }),
})
