import type { Organization } from '../world/organization.ts'

/** A policy that the administrator wrote and the approver put into force. */
export async function enforce(org: Organization, policy: object): Promise<void> {
  const { createPolicy } = await org
    .as('admin')
    .query<{ createPolicy: { policy: { id: string } } }>(
      'mutation($input: CreatePolicyInput!) { createPolicy(input: $input) { policy { id } } }',
      { input: policy },
    )
  const { id } = createPolicy.policy
  await org
    .as('admin')
    .query('mutation($id: ID!) { submitPolicy(input: { id: $id }) { policy { id } } }', { id })
  await org.as('approver').query(
    `mutation($id: ID!) {
       reviewPolicy(input: { id: $id, version: 1, decision: APPROVE }) { policy { id } } }`,
    { id },
  )
}
