export { composeDraft } from './compose-draft.ts'
export type { DraftRequest } from './compose-draft.ts'
export { composeDraftWithModel } from './compose-draft-with-model.ts'
export type { FoundArticle } from './match-articles.ts'
