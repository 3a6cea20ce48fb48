import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import { type Cast, FINANCE } from './people.ts'

const NAME = 'Refunds above 500 dollars'

const POLICIES = `query Policies($after: String) {
  policies(first: 100, after: $after, status: ACTIVE) {
    nodes { id name active { number writtenBy reviewedBy } }
    pageInfo { hasNextPage endCursor }
  }
}`
const CREATE = `mutation CreatePolicy($input: CreatePolicyInput!) {
  createPolicy(input: $input) { policy { id } }
}`
const SUBMIT = `mutation SubmitPolicy($id: ID!) { submitPolicy(input: { id: $id }) { policy { id } } }`
const REVIEW = `mutation ReviewPolicy($id: ID!) {
  reviewPolicy(input: { id: $id, version: 1, decision: APPROVE, comment: "As agreed." }) { policy { id } }
}`

/** A policy that is in force. */
export interface PolicyInForce {
  id: string
  name: string
  active: { number: number; writtenBy: string; reviewedBy: string | null } | null
}

interface Page {
  policies: { nodes: PolicyInForce[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }
}

/** Ines writes the policy by which finance is asked for large refunds, and Ben puts it into force; unless it is. */
export async function enforcePolicy({ ines, ben }: Cast): Promise<PolicyInForce> {
  const known = await findPolicy(ines.door)
  if (known) return known
  const { createPolicy } = await ask<{ createPolicy: { policy: { id: string } } }>(ines.door, CREATE, {
    input: {
      name: NAME,
      kind: 'RESOURCES',
      description: 'Finance looks at a large refund, after the domain.',
      actions: ['money.spend'],
      condition: "resource.name == 'governed_refund' && context.amount != null && context.amount > 500",
      effect: 'REQUIRE_APPROVAL',
      stages: [{ needed: 1, groups: [FINANCE] }],
    },
  })
  const { id } = createPolicy.policy
  await ask(ines.door, SUBMIT, { id })
  await ask(ben.door, REVIEW, { id })
  const made = await findPolicy(ines.door)
  if (!made) throw new Error('The policy is not in force.')
  return made
}

async function findPolicy(door: Door): Promise<PolicyInForce | undefined> {
  for (let after: string | null = null; ;) {
    const { nodes, pageInfo } = await readPage(door, after)
    const found = nodes.find(({ name }) => name === NAME)
    if (found || !pageInfo.hasNextPage) return found
    after = pageInfo.endCursor
  }
}

const readPage = async (door: Door, after: string | null): Promise<Page['policies']> =>
  (await ask<Page>(door, POLICIES, { after })).policies
