import type { CallToolResult } from '@modelcontextprotocol/client'
import { MOST_VALUE_BYTES } from '@tutti/schema'
import type { TaskOutcome } from '@tutti/workflows/domain'
import { failed, succeeded } from '../executor.ts'

/** Characters of a tool's error that are kept. */
const MOST_MESSAGE = 2_000

/**
 * What came of a tool: its structured content, else its text, else (pictures, sounds, resources) its blocks as they are. A
 * tool's error is TOOL_FAILED with its text; more than 2 MiB is AGENT_ANSWER_TOO_LARGE.
 */
export function readToolResult({ isError, structuredContent, content }: CallToolResult): TaskOutcome {
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []))
  const text = texts.join('\n')
  if (isError) return failed('TOOL_FAILED', text.slice(0, MOST_MESSAGE) || 'The tool failed without a word.')
  const output = structuredContent ?? (texts.length === content.length ? text : content)
  return Buffer.byteLength(JSON.stringify(output)) > MOST_VALUE_BYTES
    ? failed('AGENT_ANSWER_TOO_LARGE', 'The tool answered more than 2 MiB.')
    : succeeded(output)
}
