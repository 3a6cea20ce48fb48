import type { SubworkflowNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import { DAY, formatDuration, readDuration } from '../read-duration.ts'
import { readInputs } from '../read-inputs.ts'
import { readExits } from '../read-ways.ts'
import { optional } from '../optional.ts'
import { readOutput } from './read-output.ts'
import { count, duration, ref, text, valueName } from './schema-parts.ts'
import { present } from './step-kind.ts'
import type { StepKind } from './step-kind.ts'
import { writeInputs } from './write-inputs.ts'

const STARTED = { type: 'object', properties: { runId: { type: 'string' } } } as const

/** Another workflow as a run of its own. */
export const workflowStep: StepKind<SubworkflowNode> = {
  types: ['workflow'],
  isMeantBy: (fields) => fields.has('workflow'),
  read(about, fields, context) {
    const workflow = fields.text('workflow')
    fields.missing('workflow', 'missing_key', 'Name the workflow that is run.')
    const input = fields.take('input')?.value
    const inputs = input ? readInputs(input, context) : { bindings: [], readings: [] }
    const wait = fields.flag('wait') ?? true
    const { output, makes } = readOutput(fields, wait ? { type: 'object' } : STARTED)
    const timeoutMs = readDuration(fields, 'timeout', { min: 1, max: 3_660 * DAY })
    if (!wait && timeoutMs !== undefined)
      fields.problems.add(
        'conflicting_keys',
        fields.placeOf(fields.has('timeout') ? 'timeout' : 'timeout_seconds'),
        'A workflow that is not waited for has no limit here.',
        'Leave the timeout out, or wait: true.',
      )
    const { exits, readings, ...falls } = readExits(fields, context)
    const node: SubworkflowNode = {
      ...about,
      kind: 'workflow',
      workflow: workflow ?? '',
      ...optional('version', fields.number('version', { min: 1, max: 1_000_000 })),
      inputs: inputs.bindings,
      wait,
      ...output,
      ...optional('timeoutMs', timeoutMs),
    }
    return draftStep(node, fields.place, {
      exits,
      ...falls,
      readings: [...inputs.readings, ...readings],
      makes,
      mentions:
        workflow === undefined
          ? []
          : [{ what: 'workflow', name: workflow, place: fields.placeOf('workflow') }],
    })
  },
  write: (node) =>
    present({
      workflow: node.workflow,
      version: node.version,
      input: writeInputs(node.inputs),
      wait: node.wait ? undefined : false,
      output: node.output,
      timeout: node.timeoutMs === undefined ? undefined : formatDuration(node.timeoutMs),
    }),
  properties: {
    workflow: text('The workflow that is run.'),
    version: count(1, 1_000_000, 'A fixed version; absent: the published one when the step begins.'),
    input: ref('input', 'The payload of its run.'),
    wait: { type: 'boolean', description: 'False: it is started and left alone.' },
    output: valueName('The name of the outputs of its end; without waiting, of {runId}.'),
    ...duration('timeout', 'Longest wait; then the step failed and the run is cancelled.'),
  },
  required: ['workflow'],
}
