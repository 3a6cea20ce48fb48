import type { NewEvent } from '@tutti/schema'

/** That the organization says something else of a model. */
export const modelChanged = (modelId: string, change: 'set' | 'priced' | 'removed'): NewEvent => ({
  type: 'model.changed',
  subject: `model/${modelId}`,
  data: { modelId, change },
})
