import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readKey } from './read-checkpoints.ts'
import type { Report } from './record-walk.ts'
import { verifyFile } from './verify-file.ts'

const USAGE = `Usage: tutti-verify EXPORT --checkpoints FILE --key FILE [--organization ID] [--from N] [--to N] [--json]

Verifies an exported record of Tutti against checkpoints that were kept elsewhere and the public key (PEM).
  --organization  whose record it is; unless given, that of the first line
  --from          where the export begins, right after a checkpoint; 1 unless given
  --to            where the export was asked to end; unless given, it has to reach the last checkpoint
  --json          one line of JSON instead of text
Exit: 0 nothing is wrong, 1 something is, 2 it could not be verified.`

/** A file that is none of ours may say anything as the id of its organization, also what looks like a verdict. */
const ID = /^[\w-]{1,64}$/

/** Faults that are printed; the others are counted. */
const MOST_SHOWN = 50

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      checkpoints: { type: 'string' },
      key: { type: 'string' },
      organization: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const [file, ...others] = positionals
  if (file === undefined || others.length > 0 || values.checkpoints === undefined || values.key === undefined)
    throw new Error(USAGE)
  const report = await verifyFile(file, {
    checkpoints: readFileSync(values.checkpoints, 'utf8').split('\n'),
    key: readKey(readFileSync(values.key, 'utf8')),
    organizationId: values.organization,
    from: sequence('from', values.from),
    to: sequence('to', values.to),
  })
  if (values.json) console.log(printable(JSON.stringify(report)))
  else print(report)
  return report.faults.length === 0 ? 0 : 1
}

function sequence(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Error(`--${name} is a sequence: a whole number from 1.`)
  return Number(text)
}

/** What a terminal would act upon instead of showing it, as JSON writes it. */
const printable = (text: string): string =>
  text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )

function print({
  organizationId,
  entries,
  checkpoints,
  uncovered,
  pruned,
  erased,
  faults,
  more,
}: Report): void {
  for (const { kind, sequence: place, message } of faults.slice(0, MOST_SHOWN))
    console.log(`${kind} at ${place}: ${message}`)
  if (faults.length > MOST_SHOWN)
    console.log(`and ${faults.length - MOST_SHOWN}${more ? ' or more' : ''} others`)
  console.log(
    `${faults.length === 0 ? 'Verified' : 'NOT VERIFIED'}: organization ${ID.test(organizationId ?? '') ? organizationId : 'unknown'}, ${entries} entries, ` +
      `${checkpoints} checkpoints${uncovered === 0 ? '' : `, ${uncovered} entries after the last one`}` +
      `${pruned === 0 ? '' : `, ${pruned} pruned`}${erased === 0 ? '' : `, ${erased} erased`}`,
  )
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(printable(error instanceof Error ? error.message : String(error)))
  process.exitCode = 2
}
