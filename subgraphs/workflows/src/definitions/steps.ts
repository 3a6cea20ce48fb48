import type { Action } from '@tutti/schema'
import type { JsonSchema } from './definition.ts'

/** What a step is given: names that are there, paths below them, or expressions after `=`, which can read any name. */
export type StepInput<Names extends string> =
  | Names
  | readonly Names[]
  | { readonly [parameter: string]: Names | `${Names}.${string}` | `=${string}` | number | boolean }

/** How often and how fast a step is tried again; durations as `2s` or `1h30m`. */
export type Retry = {
  /** Tries in all, the first included. */
  readonly attempts?: number
  readonly delay?: string
  readonly factor?: number
  readonly max_delay?: string
  /** 0 to 1. */
  readonly jitter?: number
  readonly only?: readonly string[]
  readonly never?: readonly string[]
}

/** A step, or ways with conditions of which the first that holds is taken; empty: nowhere. */
export type Next = string | readonly (string | { readonly when: string; readonly next: string })[]

type Ways = { readonly description?: string; readonly next?: Next; readonly fallback_action?: string }
type Assignee =
  | { readonly agent: string; readonly capability?: never }
  | { readonly capability: string; readonly agent?: never }
type Join = { readonly join?: 'all' | 'any' | number; readonly on_failure?: 'fail' | 'collect' }

type AgentStep<Names extends string, Output extends string> = Ways &
  Assignee & {
    readonly input?: StepInput<Names>
    readonly output?: Output
    readonly output_schema?: JsonSchema
    readonly retry?: Retry
    readonly timeout?: string
    readonly step_timeout?: string
    readonly heartbeat_timeout?: string
    readonly compensate?: string | (Assignee & { readonly input?: StepInput<string> })
    /** The governed action that it does; amount, risk and classification: as they are, or where in `input` they stand. */
    readonly governs?:
      | Action
      | {
          readonly action: Action
          readonly amount?: number | string
          readonly risk?: string
          readonly classification?: string
          readonly deadline?: string
          readonly on_deadline?: 'escalate' | 'expire' | 'reject'
          readonly arguments_schema?: JsonSchema
        }
    /** Its agent may answer with a plan, which is then carried out. */
    readonly plan?:
      | boolean
      | {
          readonly max_tasks?: number
          readonly max_depth?: number
          readonly budget_usd?: number
          readonly agents?: readonly string[]
          readonly capabilities?: readonly string[]
        }
  }

type ConditionStep = {
  readonly description?: string
  readonly branches: readonly { readonly when: string; readonly next: string }[]
  /** Absent: the step after this one. */
  readonly default?: string | readonly []
  readonly fallback_action?: string
}

type ReviewStep<Names extends string, Output extends string> = {
  readonly description?: string
  readonly question: string
  readonly role?: string
  readonly arguments_schema?: JsonSchema
  readonly input?: StepInput<Names>
  readonly output?: Output
  readonly deadline?: string
  readonly if_approved?: Next
  readonly if_rejected: Next
  readonly if_expired?: string
  readonly fallback_action?: string
}

type Body<Names extends string> = (steps: Steps<Names>) => Steps<string>
type NamesMadeBy<Made> = Made extends (steps: never) => Steps<infer Names> ? Names : never

type ParallelStep<Branches, Output extends string> = Ways &
  Join & { readonly branches: Branches; readonly output?: Output }

type MapStep<Names extends string, Item extends string, Index extends string, Output extends string> = Ways &
  Join & {
    readonly over: string
    /** Absent: `item`. */
    readonly as?: Item
    readonly index_as?: Index
    readonly steps: Body<Names | Item | Index>
    readonly concurrency?: number
    readonly collect?: string
    readonly max_items?: number
    readonly output?: Output
  }

type LoopStep<Names extends string, Index extends string, Made extends string> = Ways & {
  readonly while?: string
  readonly until?: string
  readonly max_turns: number
  readonly on_exhausted?: 'done' | 'fail'
  readonly index_as?: Index
  readonly steps: (steps: Steps<Names | Index>) => Steps<Made>
}

type WorkflowStep<Names extends string, Output extends string> = Ways & {
  readonly workflow: string
  readonly version?: number
  readonly input?: StepInput<Names>
  readonly wait?: boolean
  readonly output?: Output
  readonly timeout?: string
}

type WaitStep<Names extends string, Output extends string> = Ways & {
  readonly output?: Output
  readonly timeout?: string
  readonly if_expired?: string
} & (
    | { readonly for: string }
    | { readonly until: string }
    | { readonly signal: string; readonly schema?: JsonSchema }
    | { readonly event: string; readonly filter?: string }
    /** A peer with this capability does an item of the shared board. */
    | { readonly board: string; readonly input?: StepInput<Names>; readonly schema?: JsonSchema }
  )

type MessageStep<Output extends string> = Ways & {
  readonly to: string
  /** The text; after `=` an expression. */
  readonly body: string
  readonly channel?: string
  readonly output?: Output
}

/** A step as the document has it. */
export type PlainStep = { readonly [key: string]: unknown }

/**
 * Steps one after the other, for `defineWorkflow`. Keys and values are those of the YAML. `Names` are the names that a
 * step can read by then: the payload's, and the outputs of the steps before it. What only comes later (the turn before
 * in a loop) is read by an expression: `{last: '= verdict'}`.
 */
export class Steps<Names extends string> {
  /** The steps so far. */
  readonly list: readonly PlainStep[]

  constructor(list: readonly PlainStep[] = []) {
    this.list = list
  }

  /** Work of an agent, or of any that has a capability. */
  agent<const Output extends string = never>(
    name: string,
    step: AgentStep<Names, Output>,
  ): Steps<Names | Output> {
    return this.#and({ name, ...step })
  }

  /** A choice between ways. */
  condition(name: string, step: ConditionStep): Steps<Names> {
    return this.#and({ name, ...step })
  }

  /** A person's decision. */
  review<const Output extends string = never>(
    name: string,
    step: ReviewStep<Names, Output>,
  ): Steps<Names | Output> {
    return this.#and({ name, ...step })
  }

  /** Branches side by side; what they make is there after the join. */
  parallel<const Branches extends Readonly<Record<string, Body<Names>>>, const Output extends string = never>(
    name: string,
    { branches, ...step }: ParallelStep<Branches, Output>,
  ): Steps<Names | Output | NamesMadeBy<Branches[keyof Branches]>> {
    const written = Object.entries(branches).map(([branch, body]) => [branch, body(new Steps()).list])
    return this.#and({ name, branches: Object.fromEntries(written), ...step })
  }

  /** The same steps for every item of a list; what they make is the item's own. */
  map<
    const Item extends string = 'item',
    const Index extends string = never,
    const Output extends string = never,
  >(name: string, { steps, ...step }: MapStep<Names, Item, Index, Output>): Steps<Names | Output> {
    return this.#and({ name, ...step, steps: steps(new Steps()).list })
  }

  /** Steps again and again, up to a bound. */
  loop<const Index extends string = never, Made extends string = never>(
    name: string,
    { steps, ...step }: LoopStep<Names, Index, Made>,
  ): Steps<Names | Exclude<Made, Index>> {
    return this.#and({ name, ...step, steps: steps(new Steps()).list })
  }

  /** Another workflow as a run of its own. */
  workflow<const Output extends string = never>(
    name: string,
    step: WorkflowStep<Names, Output>,
  ): Steps<Names | Output> {
    return this.#and({ name, ...step })
  }

  /** A wait for a time, a signal or an event. */
  wait<const Output extends string = never>(
    name: string,
    step: WaitStep<Names, Output>,
  ): Steps<Names | Output> {
    return this.#and({ name, ...step })
  }

  /** A message to an agent's inbox. */
  message<const Output extends string = never>(
    name: string,
    step: MessageStep<Output>,
  ): Steps<Names | Output> {
    return this.#and({ name, ...step })
  }

  /** Names that the engine itself gives values, by expressions. */
  transform<const Values extends Readonly<Record<string, string | number | boolean>>>(
    name: string,
    values: Values,
    ways: Ways = {},
  ): Steps<Names | (keyof Values & string)> {
    return this.#and({ name, set: values, ...ways })
  }

  /** A named end. */
  end(name: string): Steps<Names> {
    return this.#and({ name, type: 'end' })
  }

  #and(step: PlainStep): Steps<never> {
    return new Steps([...this.list, step])
  }
}
