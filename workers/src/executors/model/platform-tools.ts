import type { ModelTool } from '@tutti/agents/domain'
import { searchArticles } from '@tutti/knowledge/domain'
import { z } from 'zod'
import type { OfferedTool } from '../../builtins/model/index.ts'
import { workerActor } from '../../worker-services.ts'
import type { TaskCall } from '../executor.ts'

const MOST_ARTICLE_LETTERS = 4_000

/** Where a tool works: in the organization of the task, whatever the model says. */
export type ToolPlace = Pick<TaskCall, 'services' | 'task'>

/** What a tool made of a model's input. */
export type ToolOutcome = { ok: true; output: unknown } | { ok: false; problem: string }

/** A tool of the platform's own. */
export interface PlatformTool extends OfferedTool {
  /** Input that does not fit is a problem for the model to mend. */
  run(place: ToolPlace, input: unknown): Promise<ToolOutcome>
}

function defineTool<T>(
  name: ModelTool,
  description: string,
  input: z.ZodType<T>,
  work: (place: ToolPlace, input: T) => Promise<unknown>,
): PlatformTool {
  return {
    name,
    description,
    parameters: z.toJSONSchema(input, { io: 'input' }),
    async run(place, given) {
      const read = input.safeParse(given)
      if (!read.success) return { ok: false, problem: z.prettifyError(read.error) }
      return { ok: true, output: await work(place, read.data) }
    },
  }
}

const tools: Record<ModelTool, PlatformTool> = {
  search_knowledge: defineTool(
    'search_knowledge',
    "Searches the organization's knowledge articles. Answers with the best ones.",
    z.strictObject({
      query: z.string().min(1).max(1_000).describe('What to look for, in words'),
      limit: z.int().min(1).max(10).default(3).describe('How many articles, at most'),
    }),
    async ({ services, task }, { query, limit }) => {
      const hits = await searchArticles(services, workerActor(task.organizationId), {
        text: query,
        first: limit,
      })
      return hits.map(({ article: { externalId, title, body, language } }) => ({
        id: externalId,
        title,
        language,
        body: body.slice(0, MOST_ARTICLE_LETTERS),
      }))
    },
  ),
  current_time: defineTool('current_time', 'The time now, in UTC.', z.strictObject({}), async () => ({
    time: new Date().toISOString(),
  })),
}

/** What `executor.tools` may name. */
export const platformTools: Readonly<Record<string, PlatformTool>> = tools
