export {
  type Action,
  ACTIONS,
  type GovernedAction,
  governedMutation,
  type GovernedMutation,
  isAbout,
  isAction,
  isActionPattern,
  isAlwaysGoverned,
} from './actions.ts'
export { type Actor, actorSchema, systemActor } from './actor.ts'
export { canonicalJson } from './canonical-json.ts'
export { ERRORS, type ErrorCode, type ErrorKind, type Mender } from './errors.ts'
export {
  cursorOf,
  EVENTS,
  type EventData,
  type EventActor,
  type EventRecord,
  type EventType,
  type NewEvent,
  seqOf,
} from './events.ts'
export { FEDERATION_HEADER } from './federation-header.ts'
export { isRecord } from './is-record.ts'
export { EVENT_LANE, JOBS, TASK_LANE } from './jobs.ts'
export { MOST_ASKED_BYTES, MOST_ASKED_LEVELS } from './most-asked-bytes.ts'
export { MOST_VALUE_BYTES } from './most-value-bytes.ts'
export { BOUNDED_TAG, mayIn, type Place, requireIn, scopesAnywhere, scopesWithin } from './place.ts'
export { readSubgraphSdl } from './read-subgraph-sdl.ts'
export {
  FAILURE_KINDS,
  type FailureKind,
  RECOVERY_ACTIONS,
  type RecoveryAction,
  type RecoveryPolicy,
} from './recovery.ts'
export { CLASSIFICATIONS, type Classification, type Risk, RISKS } from './stakes.ts'
export { isScope, ROLES, type Role, SCOPES, type Scope, scopesOf } from './roles.ts'
export { UNGOVERNED_MUTATIONS, UNGOVERNED_SCOPES } from './ungoverned.ts'
export { type ErrorDetails, fail, type Problem, TuttiError } from './tutti-error.ts'
