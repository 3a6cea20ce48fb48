import { fail } from '@tutti/schema'
import type { AgentRow } from '../agents/agent-row.ts'

/** INVALID_STATE, with the state in which the agent is, unless it takes work. */
export function requireActive({ name, status }: Pick<AgentRow, 'name' | 'status'>, path: string): void {
  if (status !== 'active') fail('INVALID_STATE', { path, message: `The agent "${name}" is ${status}.` })
}
