export { analyseSentiment } from './analyse-sentiment.ts'
