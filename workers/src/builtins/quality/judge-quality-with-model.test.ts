import { expect, test } from 'vitest'
import { modelAt } from '../model/ask-model.ts'
import { startChatServer } from '../model/chat-server.ts'
import { judgeQualityWithModel } from './judge-quality-with-model.ts'

const fine = { score: 0.9, reasons: [] }
const VERDICT = {
  content_quality: fine,
  brand_alignment: fine,
  factual_accuracy: { score: 0.5, reasons: ['the fee is in no source'] },
  tone_consistency: fine,
  safety_compliance: fine,
  confidence: 0.6,
}

test('a model’s judgement has the five dimensions with their reasons, and what it cost', async () => {
  await using server = await startChatServer(() => ({ content: JSON.stringify(VERDICT) }))
  const judged = await judgeQualityWithModel(
    { text: 'It costs 7 €.', question: 'What does it cost?', sources: [] },
    modelAt({ baseURL: server.baseURL, model: 'judge' }),
  )
  expect(judged).toMatchObject({ confidence: 0.6, model: 'judge', tokens: { input: 120, output: 34 } })
  expect(judged.dimensions).toHaveLength(5)
  expect(judged.dimensions).toContainEqual({
    name: 'factual_accuracy',
    score: 0.5,
    reasons: ['the fee is in no source'],
  })
})

test('a score beyond one is no judgement', async () => {
  await using server = await startChatServer(() => ({
    content: JSON.stringify({ ...VERDICT, confidence: 7 }),
  }))
  await expect(
    judgeQualityWithModel({ text: 'Hello' }, modelAt({ baseURL: server.baseURL, model: 'judge' })),
  ).rejects.toMatchObject({ code: 'MODEL_BAD_OUTPUT' })
})
