import { parseInput } from '@tutti/runtime'
import { z } from 'zod'
import { configurationHash } from '../configuration/configuration-hash.ts'
import type { AgentConfiguration } from '../configuration/configuration-schema.ts'
import { type ExecutorRecord, executorOf } from '../configuration/executor-record.ts'
import { isStorable } from '../configuration/find-unsafe-values.ts'
import { type GivenConfiguration, givenConfiguration } from '../configuration/given-configuration.ts'
import { readConfiguration } from '../configuration/read-configuration.ts'

const FILE_BYTES = 8 * 1024 * 1024

/** A configuration, as a document (YAML or JSON) or field by field, with the files its settings name. */
export const configurationInput = {
  // Its length is the document's affair, which says it as a problem of the document.
  document: z.string().nullish(),
  configuration: z.record(z.string(), z.unknown()).nullish(),
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

const input = z.object(configurationInput)

/** An agent as a configuration describes it. */
export interface Registration {
  given: GivenConfiguration
  configuration: AgentConfiguration
  executor: ExecutorRecord
  /** The configuration as readers see it: of files only sizes and sums. */
  shown: unknown
  /** Of `shown`: the same for the same configuration and files. */
  hash: string
}

/** Reads a configuration with its files. INVALID_DOCUMENT lists every mistake. */
export function readRegistration({
  document,
  configuration: fields,
  files: attached,
}: z.input<typeof input>): Registration {
  const { files, ...argument } = parseInput(input, { document, configuration: fields, files: attached })
  const given = givenConfiguration(argument)
  const configuration = readConfiguration(given)
  const executor = executorOf(configuration, files ?? [])
  const { files: contents, ...declared } = executor
  const shown = {
    ...configuration,
    executor: {
      ...declared,
      files: Object.entries(contents).map(([name, { size, sha256 }]) => ({ name, size, sha256 })),
    },
  }
  return { given, configuration, executor, shown, hash: configurationHash(shown) }
}
