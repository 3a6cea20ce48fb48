export { answerOf, type AskModel, requestOf } from './ask-model.ts'
export { callProvider } from './call-provider.ts'
export { ModelError, type ModelErrorCode } from './model-error.ts'
export {
  type ModelProtocol,
  type ModelReply,
  type ModelRequest,
  type ModelSettings,
  MOST_OUTPUT_TOKENS,
  type OfferedTool,
  type ToolAnswer,
  type ToolCall,
  type ToolRound,
} from './model-request.ts'
export { readBySchema, readJson } from './read-reply.ts'
