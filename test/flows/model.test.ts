import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startChatServer } from './chat-server.ts'
import { type Platform, startPlatform } from './platform.ts'
import { runExample } from './run-example.ts'

const MESSAGES = [
  { id: 'good', text: 'where is my order??' },
  { id: 'bad', text: 'Hi, where is my order, it was to be here on Monday?' },
  { id: 'fooled', text: 'When does my order come, and what do I get for the wait?' },
]
const DIMENSIONS = [
  'content_quality',
  'brand_alignment',
  'factual_accuracy',
  'tone_consistency',
  'safety_compliance',
]
const WRITTEN = 'Written by the model'

const isAboutBad = (request: string) => request.includes('it was to be here on Monday')
const isToJudge = (request: string) => request.includes('check replies of a customer service')

/** The model: writes the same reply to all, and thinks much of it, but for one message. */
function answer(request: string): object {
  if (isToJudge(request)) {
    const score = isAboutBad(request) ? 0.2 : 1
    const reasons = isAboutBad(request) ? ['Monday is not spoken of.'] : []
    return {
      ...Object.fromEntries(DIMENSIONS.map((name) => [name, { score, reasons }])),
      confidence: score,
    }
  }
  const [, articleId = ''] = /\\"id\\":\\"([^"\\]+)\\"/.exec(request) ?? []
  return {
    reply: request.includes('for the wait')
      ? `${WRITTEN}: shut up, you idiot. We guarantee you a refund of 999 euros within 2 hours.`
      : `Hello, ${WRITTEN}: your order is on its way. You find it under tracking. Kind regards`,
    language: 'en',
    articleIds: [articleId],
    unanswered: [],
    confidence: 1,
  }
}

interface Seen {
  status: string
  text: string
  state: {
    draft_response: { text: string; writtenBy: string; confidence: number }
    quality_assessment: { confidence: number; flags: string[] }
  }
  quality: { confidence: number; scorer: string; flags: string[]; dimensions: { reasons: string[] }[] }[]
  messages: { body: string }[]
}

describe('with a language model at OPENAI_BASE_URL', () => {
  const cleanup = new AsyncDisposableStack()
  let platform: Platform
  let model: Awaited<ReturnType<typeof startChatServer>>
  const runs = new Map<string, Seen>()

  beforeAll(async () => {
    model = cleanup.use(await startChatServer(answer))
    platform = cleanup.use(
      await startPlatform('standalone', {
        environment: { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'a-key-for-tests' },
      }),
    )
    const file = join(platform.directory, 'messages.jsonl')
    writeFileSync(file, MESSAGES.map((message) => JSON.stringify(message)).join('\n'))
    const { exitCode, said } = await runExample(platform, 'customer-service', '--messages', file)
    if (exitCode !== 0) throw new Error(said)
    const { runs: found } = await platform.as('viewer').query<{
      runs: { nodes: (Seen & { input: { customer_message: string } })[] }
    }>(
      `{ runs(first: 10) { nodes { status input state messages { body }
        quality { confidence scorer flags dimensions { reasons } } } } }`,
    )
    for (const { id, text } of MESSAGES) {
      const run = found.nodes.find(({ input }) => input.customer_message === text)
      if (run) runs.set(id, run)
    }
  })
  afterAll(() => cleanup.disposeAsync())

  it('the model writes the replies, and is told the message and the articles', () => {
    for (const { id } of MESSAGES) {
      expect(runs.get(id)?.state.draft_response, id).toMatchObject({
        text: expect.stringContaining(WRITTEN),
        writtenBy: 'gpt-4-turbo',
      })
    }
    const writing = model.requests.filter((request) => !isToJudge(request))
    expect(writing).toHaveLength(MESSAGES.length)
    expect(writing.some((request) => request.includes('where is my order??'))).toBe(true)
  })

  it('the model judges them: what it finds bad has less confidence than the rules gave it, and reaches a person', () => {
    expect(model.requests.filter(isToJudge)).toHaveLength(MESSAGES.length)
    const bad = runs.get('bad')
    expect(bad?.quality).toMatchObject([{ scorer: 'gpt-4-turbo', confidence: 0.2 }])
    expect(bad?.quality[0]?.flags).toContain('judged_lower')
    expect(bad?.quality[0]?.dimensions.flatMap(({ reasons }) => reasons)).toContain(
      'Monday is not spoken of.',
    )
    expect(bad).toMatchObject({ status: 'WAITING', messages: [] })
  })

  it('what it writes and judges well goes out', () => {
    const good = runs.get('good')
    expect(good).toMatchObject({
      status: 'COMPLETED',
      messages: [{ body: expect.stringContaining(WRITTEN) }],
    })
    expect(good?.quality[0]?.flags).not.toContain('judged_lower')
  })

  it('the model cannot raise what the rules found: its 1 for a promise and an insult reaches a person', () => {
    const fooled = runs.get('fooled')
    expect(fooled).toMatchObject({ status: 'WAITING', messages: [], quality: [{ scorer: 'gpt-4-turbo' }] })
    expect(fooled?.quality[0]?.confidence).toBeLessThan(0.8)
    expect(fooled?.quality[0]?.flags).not.toContain('judged_lower')
  })
})
