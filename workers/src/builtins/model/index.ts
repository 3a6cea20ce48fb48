export { type ModelSettings, modelSettingsFrom } from './ask-model.ts'
export { ModelError } from './model-error.ts'
