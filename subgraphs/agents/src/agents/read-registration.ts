import { parseInput } from '@tutti/runtime'
import { z } from 'zod'
import { configurationHash } from '../configuration/configuration-hash.ts'
import type { AgentConfiguration } from '../configuration/configuration-schema.ts'
import { type ExecutorRecord, executorOf } from '../configuration/executor-record.ts'
import { isStorable } from '../configuration/find-unsafe-values.ts'
import { readConfiguration } from '../configuration/read-configuration.ts'

const FILE_BYTES = 8 * 1024 * 1024

/** A document, YAML or JSON, with the files its settings name. */
export const documentInput = {
  // Its length is the document's affair, which says it as a problem of the document.
  document: z.string(),
  files: z
    .array(
      z.object({
        name: z
          .string()
          .min(1)
          .max(255)
          .refine((name) => isStorable(name) && name !== '__proto__', 'That cannot be a name.'),
        content: z
          .string()
          .refine((text) => Buffer.byteLength(text) <= FILE_BYTES, 'A file has at most 8 MiB.')
          .refine(isStorable, 'A file must be text, without the NUL character.'),
      }),
    )
    .max(20)
    .nullish(),
}

const input = z.object(documentInput)

/** An agent as a document describes it. */
export interface Registration {
  configuration: AgentConfiguration
  executor: ExecutorRecord
  /** The configuration as readers see it: of files only sizes and sums. */
  shown: unknown
  /** Of `shown`: the same for the same configuration and files. */
  hash: string
}

/** Reads a document with its files. INVALID_DOCUMENT lists every mistake. */
export function readRegistration(request: z.input<typeof input>): Registration {
  const { document, files } = parseInput(input, { document: request.document, files: request.files })
  const configuration = readConfiguration(document)
  const executor = executorOf(configuration, files ?? [])
  const { files: contents, ...declared } = executor
  const shown = {
    ...configuration,
    executor: {
      ...declared,
      files: Object.entries(contents).map(([name, { size, sha256 }]) => ({ name, size, sha256 })),
    },
  }
  return { configuration, executor, shown, hash: configurationHash(shown) }
}
