import type { AgentLoad, ScalingState } from './decide-scale.ts'

/** The figures a decision was made by, as they are kept with it. */
export interface LoadFigures extends AgentLoad {
  slots: number
  /** What of the slots is taken. */
  utilisation: number
}

/** The figures of an agent that stands so. */
export function figuresOf(
  load: AgentLoad,
  { instances, tasksPerInstance }: Pick<ScalingState, 'instances' | 'tasksPerInstance'>,
): LoadFigures {
  const slots = instances * tasksPerInstance
  return { ...load, slots, utilisation: load.running / slots }
}
