import { describe, expect, expectTypeOf, it } from 'vitest'
import { defineWorkflow, readDefinition, Steps, writeDefinition } from './index.ts'
import type { StepInput } from './index.ts'

describe('a workflow in TypeScript', () => {
  const publish = defineWorkflow(
    {
      name: 'publish',
      inputs: ['topic', 'languages'],
      timeout: '2d',
      error_handling: { retry: { attempts: 2 } },
    },
    (steps) =>
      steps
        .agent('draft', { agent: 'writer', input: { about: 'topic', length: 500 }, output: 'text' })
        .loop('improve', {
          until: 'verdict.good',
          max_turns: 3,
          steps: (turn) =>
            turn
              .agent('edit', {
                agent: 'editor',
                input: { text: 'text', last: '= verdict' },
                output: 'edited',
              })
              .agent('judge', { capability: 'judgement', input: 'edited', output: 'verdict' }),
        })
        .parallel('prepare', {
          branches: {
            pictures: (branch) =>
              branch.agent('paint', { agent: 'painter', input: 'edited', output: 'picture' }),
            words: (branch) =>
              branch.map('translate', {
                over: 'languages',
                as: 'language',
                steps: (item) => item.agent('say', { agent: 'translator', input: ['edited', 'language'] }),
                output: 'translations',
              }),
          },
        })
        .transform('count', { pictures: 1, many: 'size(translations) > 3' })
        .review('ask', {
          question: 'Publish?',
          input: ['picture', 'translations', 'many'],
          if_rejected: 'end',
        })
        .wait('morning', { for: '12h' })
        .message('tell', { to: 'writer', body: 'It is out.' })
        .workflow('spread', { workflow: 'share', input: { text: 'edited.body' }, wait: false }),
  )

  it('is what the YAML of the same words is', () => {
    const text = `
format: tutti/1
name: publish
inputs: [topic, languages]
timeout: 2d
error_handling: {retry: {attempts: 2}}
steps:
  - {name: draft, agent: writer, input: {about: topic, length: 500}, output: text}
  - name: improve
    until: verdict.good
    max_turns: 3
    steps:
      - {name: edit, agent: editor, input: {text: text, last: = verdict}, output: edited}
      - {name: judge, capability: judgement, input: edited, output: verdict}
  - name: prepare
    branches:
      pictures: [{name: paint, agent: painter, input: edited, output: picture}]
      words:
        - name: translate
          over: languages
          as: language
          steps: [{name: say, agent: translator, input: [edited, language]}]
          output: translations
  - name: count
    set:
      pictures: 1
      many: size(translations) > 3
  - {name: ask, question: Publish?, input: [picture, translations, many], if_rejected: end}
  - {name: morning, for: 12h}
  - {name: tell, to: writer, body: It is out.}
  - {name: spread, workflow: share, input: {text: edited.body}, wait: false}`
    expect(readDefinition(text)).toEqual({ ok: true, definition: publish })
    expect(readDefinition(writeDefinition(publish))).toEqual({ ok: true, definition: publish })
  })

  it('goes through the same checks, all mistakes at once', () => {
    expect(() =>
      defineWorkflow(
        { name: 'x' },
        (steps) => steps.agent('a', { agent: 'wirter', next: 'nowhere' }).condition('b', { branches: [] }),
        { knownAgents: ['writer'] },
      ),
    ).toThrow(
      expect.objectContaining({
        code: 'INVALID_DOCUMENT',
        problems: expect.arrayContaining([
          expect.objectContaining({
            code: 'unknown_agent',
            path: 'steps.0.agent',
            hint: 'Did you mean "writer"?',
          }),
          expect.objectContaining({ code: 'unknown_step', path: 'steps.0.next' }),
          expect.objectContaining({ code: 'wrong_type', path: 'steps.1.branches' }),
        ]),
      }),
    )
  })

  it('tells the compiler which names are there', () => {
    const begin = new Steps<'topic'>()
    expectTypeOf(begin.agent('a', { agent: 'x', output: 'text' })).toEqualTypeOf<Steps<'topic' | 'text'>>()
    expectTypeOf(begin.agent('a', { agent: 'x' })).toEqualTypeOf<Steps<'topic'>>()
    expectTypeOf(begin.transform('a', { n: 1 })).toEqualTypeOf<Steps<'topic' | 'n'>>()
    expectTypeOf(
      begin.parallel('p', {
        branches: {
          l: (branch) => branch.agent('a', { agent: 'x', input: 'topic', output: 'left' }),
          r: (branch) => branch.agent('b', { agent: 'x', output: 'right' }),
        },
        output: 'both',
      }),
    ).toEqualTypeOf<Steps<'topic' | 'left' | 'right' | 'both'>>()
    expectTypeOf(
      begin.map('m', {
        over: 'topic',
        index_as: 'at',
        steps: (item) => {
          expectTypeOf(item).toEqualTypeOf<Steps<'topic' | 'item' | 'at'>>()
          return item.agent('a', { agent: 'x', input: 'item', output: 'own' })
        },
        output: 'all',
      }),
    ).toEqualTypeOf<Steps<'topic' | 'all'>>()
    expectTypeOf(
      begin.loop('l', {
        max_turns: 2,
        index_as: 'turn',
        steps: (turn) => turn.agent('a', { agent: 'x', input: 'turn', output: 'text' }),
      }),
    ).toEqualTypeOf<Steps<'topic' | 'text'>>()
    expectTypeOf<'topic'>().toExtend<StepInput<'topic'>>()
    expectTypeOf<{ about: 'topic.title'; n: 5; more: '= later' }>().toExtend<StepInput<'topic'>>()
    expectTypeOf<'text'>().not.toExtend<StepInput<'topic'>>()
    expectTypeOf<{ about: 'text.title' }>().not.toExtend<StepInput<'topic'>>()
  })
})
