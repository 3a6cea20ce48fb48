export { type AskModel, askModel, type ModelSettings, modelSettingsFrom } from './ask-model.ts'
export { ModelError, type ModelErrorCode } from './model-error.ts'
