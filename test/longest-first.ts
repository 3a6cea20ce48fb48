import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Whole platforms: those that begin late end alone, on one core of two. */
const LONG = /\/(test|standalone)\//

/** What was long the last time comes first; where nothing is known, as in a fresh clone, what starts whole platforms. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    if (sorted.some((file) => this.ctx.cache.getTestSpecificationResult(file))) return sorted
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.test(moduleId.slice(this.ctx.config.root.length))
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
