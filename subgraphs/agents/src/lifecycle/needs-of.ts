import { z } from 'zod'

const needs = z.object({
  resource_requirements: z
    .object({
      memory_mb: z.number().default(0),
      cpu_cores: z.number().default(0),
      storage_mb: z.number().default(0),
      bandwidth_mbps: z.number().default(0),
      max_concurrent_tasks: z.number().default(1),
    })
    .prefault({}),
})

/** What one instance needs by a configuration: megabytes, cores, megabits a second, and how many tasks it takes at once. */
export interface InstanceNeeds {
  memoryMb: number
  cpuCores: number
  storageMb: number
  bandwidthMbps: number
  tasks: number
}

/** Reads it from an agent's configuration as it is stored; what is not said is nothing, and one task. */
export function needsOf(configuration: unknown): InstanceNeeds {
  const { memory_mb, cpu_cores, storage_mb, bandwidth_mbps, max_concurrent_tasks } =
    needs.parse(configuration).resource_requirements
  return {
    memoryMb: memory_mb,
    cpuCores: cpu_cores,
    storageMb: storage_mb,
    bandwidthMbps: bandwidth_mbps,
    tasks: max_concurrent_tasks,
  }
}
