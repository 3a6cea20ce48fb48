import { z } from 'zod'
import { ExamplesError, type IntentModel, intentModelFor, predictIntent } from '../builtins/intent/index.ts'
import { type Executor, failed, succeeded } from '../executors/executor.ts'
import { customerMessage } from './step-input.ts'

const MODELS_IN_MEMORY = 16

/** By the digest that was made at registration: hashing a megabyte of examples once a message costs more than asking. */
const models = new Map<string, Promise<IntentModel>>()

const settingsSchema = z.object({ examples: z.string() })

/**
 * Step 2: what the customer wants, by a classifier trained from the labelled examples that came with the agent. Their
 * content is in the agent's files; the name is never opened as a path here.
 */
export const classifyIntent: Executor = async ({ task, agent, services }) => {
  const { executor } = agent
  const settings = settingsSchema.safeParse(executor.settings)
  const file = settings.success ? executor.files[settings.data.examples] : undefined
  if (!settings.success || !file) {
    return failed(
      'EXAMPLES_MISSING',
      'settings.examples must name a file of labelled examples given with the agent.',
    )
  }
  try {
    const model = await modelOf(settings.data.examples, file, services.cacheDirectory)
    return succeeded(predictIntent(model, customerMessage.parse(task.input['customer_message'])))
  } catch (error) {
    if (error instanceof ExamplesError) return failed('EXAMPLES_INVALID', error.message)
    throw error
  }
}

function modelOf(
  name: string,
  file: { sha256: string; content: string },
  cacheDirectory: string | undefined,
): Promise<IntentModel> {
  const known = models.get(file.sha256)
  if (known) return known
  if (models.size >= MODELS_IN_MEMORY) models.clear()
  const model = intentModelFor({
    // A text without a line break would be taken for a path.
    examples: file.content.includes('\n') ? file.content : `${file.content}\n`,
    format: name.endsWith('.jsonl') ? 'jsonl' : 'csv',
    ...(cacheDirectory ? { cacheDirectory } : {}),
  })
  models.set(file.sha256, model)
  model.catch(() => models.delete(file.sha256))
  return model
}
