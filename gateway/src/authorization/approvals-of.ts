/** Names the approvals of a repeated call, separated by commas. */
export const APPROVAL_HEADER = 'tutti-approval'

const MOST_APPROVALS = 20

/**
 * Ids of approvals that come with an operation: by the header, and as `approvalId` (one or a list) of its `extensions`; at
 * most 20.
 */
export function approvalsOf(
  header: string | readonly string[] | null | undefined,
  extensions: unknown,
): string[] {
  const named =
    typeof extensions === 'object' && extensions !== null && 'approvalId' in extensions
      ? [extensions.approvalId].flat()
      : []
  const ids = [...[header ?? []].flat().flatMap((line) => line.split(',')), ...named].flatMap((id) =>
    typeof id === 'string' && id.trim() !== '' ? [id.trim()] : [],
  )
  return [...new Set(ids)].slice(0, MOST_APPROVALS)
}
