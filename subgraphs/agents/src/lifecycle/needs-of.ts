import { z } from 'zod'

const needs = z.object({
  resource_requirements: z
    .object({
      memory_mb: z.number().default(0),
      cpu_cores: z.number().default(0),
      max_concurrent_tasks: z.number().default(1),
    })
    .default({ memory_mb: 0, cpu_cores: 0, max_concurrent_tasks: 1 }),
})

/** What one instance needs by a configuration: megabytes, cores, and how many tasks it takes at once. */
export interface InstanceNeeds {
  memoryMb: number
  cpuCores: number
  tasks: number
}

/** Reads it from an agent's configuration as it is stored; what is not said is nothing, and one task. */
export function needsOf(configuration: unknown): InstanceNeeds {
  const { memory_mb, cpu_cores, max_concurrent_tasks } = needs.parse(configuration).resource_requirements
  return { memoryMb: memory_mb, cpuCores: cpu_cores, tasks: max_concurrent_tasks }
}
