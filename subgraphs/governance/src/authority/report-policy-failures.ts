import { type Actor, systemActor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { openIncidentForCause } from '../incidents/open-incident-for-cause.ts'
import type { PolicyFailure } from '../policies/decide-policies.ts'

/** Of one version, this process says it this often: what fails once fails for everybody who asks. */
const PACE_MS = 60_000
const MOST_KNOWN = 1_000
const said = new Map<string, number>()

/**
 * Says that policies could not be evaluated, and opens an incident for each, or notes in the open one that it goes on.
 * Events: policy.failed, incident.opened.
 */
export async function reportPolicyFailures(
  services: DomainServices,
  { organizationId }: Actor,
  action: string,
  failures: readonly PolicyFailure[],
): Promise<void> {
  const actor = systemActor(organizationId, 'policies')
  for (const { policyId, versionId, name, version, message } of failures) {
    if ((said.get(versionId) ?? 0) > performance.now()) continue
    if (said.size >= MOST_KNOWN) said.clear()
    said.set(versionId, performance.now() + PACE_MS)
    await services.database.inTenant(actor, (tx) =>
      tx.appendEvent({
        type: 'policy.failed',
        subject: `policy/${policyId}`,
        data: { policyId, name, version, action, message },
      }),
    )
    await openIncidentForCause(services, actor, {
      cause: `policy/${policyId}`,
      title: `Policy ${name} cannot be evaluated`.slice(0, 200),
      description: `Version ${version} was asked about ${action} and denied: ${message}`,
      impact: 'domain',
    })
  }
}
