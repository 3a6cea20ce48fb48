import { TuttiError } from '@tutti/schema'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { givenConfiguration } from './given-configuration.ts'
import { readConfiguration } from './read-configuration.ts'

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,9}$/)
const words = fc.array(word, { maxLength: 3 })
/** What a caller keeps there is nobody's to spell otherwise. */
const own = fc.dictionary(
  fc.stringMatching(/^[a-zA-Z][a-zA-Z_ ]{0,9}$/),
  fc.jsonValue({ maxDepth: 2, noUnicodeString: false }),
  { maxKeys: 3 },
)

/** The same configuration in the API's spelling and in the document's. */
const bothWays = fc
  .record({
    name: word,
    type: word,
    capabilities: words,
    memory: fc.double({ min: 0.5, max: 1_000, noNaN: true }),
    tasks: fc.integer({ min: 1, max: 100 }),
    model: word,
    steps: fc.dictionary(word, fc.constantFrom('off', 'memory')),
    event: word,
    outputs: words,
    settings: own,
    said: fc.string({ minLength: 1 }),
    rounds: fc.integer({ min: 1, max: 20 }),
  })
  .map((x) => {
    const metadata = { name: x.name, type: x.type, version: '1.2.0' }
    const { capabilities, outputs } = x
    return {
      fields: {
        metadata,
        capabilities,
        outputs,
        dependencies: null,
        resourceRequirements: { memoryMb: x.memory, maxConcurrentTasks: x.tasks, cpuCores: null },
        aiModels: { primary: x.model, cacheSteps: x.steps },
        governs: {
          action: 'money.spend',
          deadlineSeconds: x.rounds,
          argumentsSchema: { theAnswer: {} },
          risk: null,
        },
        triggers: [{ type: 'event', eventType: x.event, source: null }],
        executor: {
          type: 'model',
          instructions: `do ${x.said}`,
          outputSchema: { type: 'object', properties: { theAnswer: { type: 'string' } } },
          maxRounds: x.rounds,
          settings: x.settings,
        },
      },
      document: {
        metadata,
        capabilities,
        outputs,
        resource_requirements: { memory_mb: x.memory, max_concurrent_tasks: x.tasks },
        ai_models: { primary: x.model, cache_steps: x.steps },
        governs: { action: 'money.spend', deadline_seconds: x.rounds, arguments_schema: { theAnswer: {} } },
        triggers: [{ type: 'event', event_type: x.event }],
        executor: {
          type: 'model',
          instructions: `do ${x.said}`,
          output_schema: { type: 'object', properties: { theAnswer: { type: 'string' } } },
          max_rounds: x.rounds,
          settings: x.settings,
        },
      },
    }
  })

/** What it is read as, else the mistakes. */
function read(given: Parameters<typeof givenConfiguration>[0]): unknown {
  try {
    return readConfiguration(givenConfiguration(given))
  } catch (error) {
    if (error instanceof TuttiError && error.code === 'INVALID_DOCUMENT')
      return error.problems.map(({ code }) => code)
    throw error
  }
}

test('a configuration says the same field by field and as a document', () => {
  fc.assert(
    fc.property(bothWays, ({ fields, document }) => {
      expect(read({ configuration: fields })).toEqual(read({ document: JSON.stringify(document) }))
    }),
    { numRuns: 40 },
  )
})

test('mistakes are told at once, where the argument has them and in its words', () => {
  const configuration = {
    metadata: { name: 'writer', type: 'Marketing', version: '1' },
    resourceRequirements: { maxConcurrentTasks: 0 },
    aiModels: { primary: 'm', cacheSteps: { my_step: 'never' } },
    triggers: [{ type: 'event' }],
    executor: { type: 'http', url: 'https://agents.example.com', outputSchema: {} },
  }
  try {
    readConfiguration(givenConfiguration({ configuration }))
    expect.unreachable()
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error
    expect(error).toMatchObject({ code: 'INVALID_DOCUMENT', path: 'input.configuration' })
    expect(error.problems.map(({ code, path }) => [code, path])).toEqual([
      ['invalid_value', 'input.configuration.metadata.type'],
      ['out_of_range', 'input.configuration.resourceRequirements.maxConcurrentTasks'],
      ['invalid_value', 'input.configuration.aiModels.cacheSteps.my_step'],
      ['missing_key', 'input.configuration.triggers.0.eventType'],
      ['unknown_key', 'input.configuration.executor.outputSchema'],
    ])
    expect(error.problems.at(3)?.message).toBe('"eventType" is missing.')
    expect(error.problems.at(4)?.hint).toBe('It goes with another type.')
    expect(error.problems.some(({ line }) => line !== undefined)).toBe(false)
  }
})

test('one of both is given', () => {
  const refused = { code: 'BAD_INPUT', path: 'input' }
  for (const given of [{}, { document: null, configuration: null }, { document: 'a: b', configuration: {} }])
    expect(() => givenConfiguration(given)).toThrow(expect.objectContaining(refused))
})
