import type { Artifact, Message, Part } from '@a2a-js/sdk'

/** What a message is sent as: one text, or one value. */
export type Content = { text: string } | { data: unknown }

/**
 * What of a task's input an A2A agent is sent: what stands at `path` where the agent's configuration names one, an input that
 * is one text as that text, anything else as data. Undefined when there is nothing at the path.
 */
export function contentOf(
  input: Readonly<Record<string, unknown>>,
  at: unknown,
  path: string | undefined,
): Content | undefined {
  if (path !== undefined) {
    if (at === undefined) return undefined
    return typeof at === 'string' ? { text: at } : { data: at }
  }
  const values = Object.values(input)
  const [only] = values
  return values.length === 1 && typeof only === 'string' ? { text: only } : { data: input }
}

/** A part of a message that bears it. */
export function partOf(content: Content): Part {
  const rest = { metadata: undefined, filename: '' }
  return 'text' in content
    ? { ...rest, content: { $case: 'text', value: content.text }, mediaType: 'text/plain' }
    : { ...rest, content: { $case: 'data', value: content.data }, mediaType: 'application/json' }
}

/** The words of a message, for people; empty when there are none. */
export const textOf = (message: Message | undefined): string =>
  (message?.parts ?? [])
    .flatMap(({ content }) => (content?.$case === 'text' ? [content.value] : []))
    .join('\n')

/**
 * What artifacts hold: the text, when it is nothing but text (parts of one artifact are pieces of one text); the value, when
 * it is one; a list of texts, values and files otherwise. Null when there is nothing.
 */
export function outputOfArtifacts(artifacts: readonly Artifact[]): unknown {
  return joined(
    artifacts.flatMap(({ parts }) => {
      const text = onlyText(parts)
      return text === undefined ? parts.flatMap(valueOf) : [text]
    }),
  )
}

/** What a message holds, in the same way; its parts are paragraphs. */
export const outputOfMessage = ({ parts }: Message): unknown => joined(parts.flatMap(valueOf))

function joined(values: unknown[]): unknown {
  if (values.length === 0) return null
  if (values.every((each) => typeof each === 'string')) return values.join('\n')
  return values.length === 1 ? values[0] : values
}

function onlyText(parts: readonly Part[]): string | undefined {
  const texts = parts.flatMap(({ content }) => (content?.$case === 'text' ? [content.value] : []))
  return texts.length === parts.length && texts.length > 0 ? texts.join('') : undefined
}

function valueOf({ content, filename, mediaType }: Part): unknown[] {
  const file = { ...(filename === '' ? {} : { filename }), ...(mediaType === '' ? {} : { mediaType }) }
  switch (content?.$case) {
    case 'text':
    case 'data':
      return [content.value]
    case 'url':
      return [{ url: content.value, ...file }]
    case 'raw':
      return [{ bytes: Buffer.from(content.value).toString('base64'), ...file }]
    default:
      return []
  }
}
