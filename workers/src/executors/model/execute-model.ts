import { compileSchema } from '@tutti/workflows/domain'
import { ModelError, type ModelReply, readJson, type ToolRound } from '../../builtins/model/index.ts'
import { openModel } from '../../models/open-model.ts'
import { type Executor, failed, succeeded, type TaskCall } from '../executor.ts'
import { withoutDecision } from '../read-decision.ts'
import { answerToolCall, toolsOf } from './answer-tool-call.ts'
import { fillTemplate } from './fill-template.ts'

/** Calls of tools that one answer of a model may hold. */
const MOST_CALLS = 20
/** Letters of the answer that a report shows ... */
const SHOWN_LETTERS = 4_000
/** ... but for the last so many: the beginning of a secret is not recognised as one. */
const HELD_BACK = 200

/**
 * A language model by configuration alone. Its instructions are the agent's; the step's input is data. Where the answer has
 * a schema, one that does not fit it is a failure that may be tried again. Tools are those of the agent's list, in a bounded
 * number of rounds; each round is a call with its own record and cost.
 */
export const executeModel: Executor = async (call) => {
  const { executor, name, type } = call.agent
  if (executor.instructions === undefined)
    return failed('AGENT_UNBOUND', `Agent "${name}" has no instructions.`)
  const model = await openModel(call, type)
  if (!model) {
    const { message, hint } = new ModelError(
      'MODEL_NO_SERVER',
      'There is no server for the models of this agent.',
    )
    return failed('MODEL_NO_SERVER', `${message} ${hint}`)
  }
  const tools = toolsOf(executor.tools ?? [])
  const schema = executor.output_schema
  const read = answerReader(schema)
  const rounds: ToolRound[] = []
  const mostRounds = tools.length === 0 ? 1 : (executor.max_rounds ?? 1)
  try {
    for (;;) {
      const { value, reply } = await model.exchange(
        {
          ...fillTemplate(executor.instructions, withoutDecision(call.task)),
          ...(schema ? { schema } : {}),
          ...(executor.max_output_tokens === undefined
            ? {}
            : { maxOutputTokens: executor.max_output_tokens }),
          ...(executor.temperature === undefined ? {} : { temperature: executor.temperature }),
          tools,
          rounds,
          signal: call.signal,
          onText: (text) => say(call, text, rounds.length),
        },
        (said) => (said.calls.length > 0 ? undefined : read(said)),
      )
      if (reply.calls.length === 0) return succeeded(value, model.costUsd())
      if (rounds.length >= mostRounds) {
        return failed('MODEL_TOO_MANY_ROUNDS', `The model asked for tools more than ${mostRounds} times.`)
      }
      if (reply.calls.length > MOST_CALLS) {
        return failed('MODEL_TOO_MANY_CALLS', `The model asked for ${reply.calls.length} tools at once.`)
      }
      const answers = []
      for (const asked of reply.calls) {
        call.signal.throwIfAborted()
        answers.push(await answerToolCall(call, tools, asked))
      }
      rounds.push({ said: reply.said, answers })
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    const { code, message, hint, retryable, retryAfterMs } = error
    return failed(code, `${message}. ${hint}`, { retryable, retryAfterMs })
  }
}

/** Reads a final answer: JSON that fits the schema, or text. Throws MODEL_BAD_OUTPUT. */
function answerReader(schema: Readonly<Record<string, unknown>> | undefined): (reply: ModelReply) => unknown {
  if (!schema) {
    return ({ text, isWhole }) => {
      if (isWhole && text.trim() !== '') return text
      throw new ModelError('MODEL_BAD_OUTPUT', isWhole ? 'the answer is empty' : 'the answer was cut short')
    }
  }
  const compiled = compileSchema(schema)
  return (reply) => {
    if (!compiled.ok)
      throw new ModelError('MODEL_REFUSED_REQUEST', `the schema is not usable: ${compiled.message}`)
    const value = readJson(reply)
    const [problem, ...more] = compiled.check(value)
    if (!problem) return value
    const others = more.length === 0 ? '' : `, and ${more.length} more`
    throw new ModelError(
      'MODEL_BAD_OUTPUT',
      `the answer does not fit the schema: ${problem.path} ${problem.message}${others}`,
    )
  }
}

function say({ report, secrets }: TaskCall, text: string, round: number): void {
  const shown = secrets.cut(text).slice(0, -HELD_BACK).slice(-SHOWN_LETTERS)
  report({ message: 'The model is writing.', data: { letters: text.length, round, text: shown } })
}
