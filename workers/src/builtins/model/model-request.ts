import type { ModelMessage } from 'ai'

/** How a server of models is spoken to. */
export type ModelProtocol = 'openai-compatible' | 'anthropic' | 'google'

/** Where a language model is and which one. */
export interface ModelSettings {
  /** OpenAI's chat completions unless given. */
  readonly protocol?: ModelProtocol
  /** With the version, such as `https://api.openai.com/v1`. */
  readonly baseURL: string
  readonly apiKey?: string
  /** The model's name, from the agent's configuration. */
  readonly model: string
  /** Milliseconds; 30,000 unless given. */
  readonly timeoutMs?: number
  /** The way to the server; the process's own unless given. */
  readonly fetch?: typeof globalThis.fetch
}

/** A JSON Schema, draft 2020-12; of an object. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A tool that a model may ask for. */
export interface OfferedTool {
  readonly name: string
  readonly description: string
  readonly parameters: JsonSchema
}

/** What a model asks a tool for; nothing of it was checked. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly input: unknown
}

/** What a tool answered. */
export interface ToolAnswer {
  readonly id: string
  readonly name: string
  readonly output: unknown
  readonly isError: boolean
}

/** A model's turn that asked for tools, as the provider wants it back, and what they answered. */
export interface ToolRound {
  readonly said: readonly ModelMessage[]
  readonly answers: readonly ToolAnswer[]
}

/** One call of a model. */
export interface ModelRequest {
  readonly instructions: string
  /** Goes as JSON between marks the writer of it cannot know: material, never instructions. */
  readonly data: Readonly<Record<string, unknown>>
  /** What the answer must fit; without it, the answer is text. */
  readonly schema?: JsonSchema
  readonly tools?: readonly OfferedTool[]
  /** What was said since the question, oldest first. */
  readonly rounds?: readonly ToolRound[]
  /** 1,500 unless given. */
  readonly maxOutputTokens?: number
  /** 0 unless given. */
  readonly temperature?: number
  /** How far its answer may be kept, where agent and organization allow it; as far as they do unless given. */
  readonly cache?: 'off' | 'memory' | 'redis' | 'database'
  readonly signal?: AbortSignal
  /** Gets the text of the answer so far, each time it grew. */
  readonly onText?: (text: string) => void
}

/** Tokens by the server's own count; 0 where it does not count. */
export interface TokenCount {
  readonly input: number
  readonly output: number
  /** Input tokens that the server had in its cache. */
  readonly cached: number
}

/** What a model said. */
export interface ModelReply {
  readonly text: string
  readonly calls: readonly ToolCall[]
  /** Its turn, to be sent back with the answers of the tools. */
  readonly said: readonly ModelMessage[]
  /** False when it was cut short. */
  readonly isWhole: boolean
  readonly model: string
  readonly tokens: TokenCount
  readonly ms: number
}

export const MOST_OUTPUT_TOKENS = 1_500
