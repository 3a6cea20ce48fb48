import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IntentModel } from './intent-model.ts'
import { formatOf, readExamplesSource } from './load-examples.ts'
import type { ExamplesFormat } from './load-examples.ts'
import { deserialiseIntentModel, serialiseIntentModel } from './serialise-intent-model.ts'
import { trainInThread } from './train-in-thread.ts'
import type { TrainOptions } from './train-intent-model.ts'

/** Where a model's examples come from and where the trained model may be kept. */
export interface IntentSource {
  /** A file's path, or the examples themselves (recognised by a line break). */
  readonly examples: string
  readonly format?: ExamplesFormat
  /** A directory in which trained models outlive the process; none: memory only. */
  readonly cacheDirectory?: string
  readonly options?: TrainOptions
}

// A banking77 model takes 6 MB; a process that serves more tenants than this trains (or reads) again.
const MODELS_IN_MEMORY = 16
const TRAINER = 'tutti-intent-1'

const models = new Map<string, Promise<IntentModel>>()

/** Files read before: path → what the file looked like then, and the key of its content. */
const seen = new Map<string, { readonly look: string; readonly key: string }>()

async function fromDisk(file: string): Promise<IntentModel | undefined> {
  try {
    return deserialiseIntentModel(await readFile(file))
  } catch {
    // Absent, damaged or of another version: it is trained again and written over.
    return undefined
  }
}

async function toDisk(directory: string, file: string, model: IntentModel): Promise<void> {
  await mkdir(directory, { recursive: true })
  // Two processes may train the same at once; a rename leaves one whole file, whoever is last.
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, serialiseIntentModel(model))
  await rename(draft, file)
}

async function lookOf(path: string): Promise<string | undefined> {
  if (path.includes('\n')) return undefined
  const file = await stat(path, { bigint: true }).catch(() => undefined)
  return file && `${file.ino} ${file.size} ${file.mtimeNs}`
}

/**
 * The model for these examples: from memory, from the cache directory, or trained in a thread. The
 * key is the content of the examples, so changing the file means a new model and asking twice at
 * once means one training. Rejects with `ExamplesError` when they cannot be used; a failure is not kept.
 */
export async function intentModelFor(source: IntentSource): Promise<IntentModel> {
  const format = source.format ?? formatOf(source.examples)
  const options = source.options ?? {}
  const settings = JSON.stringify([TRAINER, format, options.seed, options.cost])
  // A file that looks as it did is not read again: this is asked once a message.
  const look = await lookOf(source.examples)
  const place = `${settings} ${source.examples}`
  const before = look === undefined ? undefined : seen.get(place)
  if (before && before.look === look) {
    const known = models.get(before.key)
    if (known) return known
  }
  const text = await readExamplesSource(source.examples)
  const key = createHash('sha256').update(settings).update(text).digest('hex')
  if (look !== undefined) seen.set(place, { look, key })
  const known = models.get(key)
  if (known) return known
  const made = (async (): Promise<IntentModel> => {
    const directory = source.cacheDirectory
    const file = directory === undefined ? undefined : join(directory, `${key}.intent-model`)
    const kept = file === undefined ? undefined : await fromDisk(file)
    if (kept) return kept
    const model = await trainInThread({ source: text, format, options })
    if (directory !== undefined && file !== undefined) await toDisk(directory, file, model)
    return model
  })()
  models.set(key, made)
  for (const oldest of models.keys()) {
    if (models.size <= MODELS_IN_MEMORY) break
    models.delete(oldest)
  }
  try {
    return await made
  } catch (error) {
    models.delete(key)
    throw error
  }
}
