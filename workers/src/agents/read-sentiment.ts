import { analyseSentiment } from '../builtins/sentiment/index.ts'
import { type Executor, succeeded } from '../executors/executor.ts'
import { customerMessage } from './step-input.ts'

/** Step 1: how the customer feels, by a lexicon. */
export const readSentiment: Executor = async ({ task }) =>
  succeeded(analyseSentiment(customerMessage.parse(task.input['customer_message'])))
