/** One model of a Prisma schema, as its rules need it: `file` owns it, `relations` are the sides that hold the key. */
export type PrismaModel = {
  file: string
  name: string
  fields: { name: string; type: string; attributes: string }[]
  blockAttributes: string[]
}

/** The models of one .prisma file's text. Comments are ignored. */
export function prismaModels(file: string, text: string): PrismaModel[] {
  const bare = text.replace(/\/\/.*$/gm, '')
  return [...bare.matchAll(/^model\s+(\w+)\s*\{([\s\S]*?)^\}/gm)].map(([, name = '', body = '']) => {
    const lines = body.split('\n').map((line) => line.trim())
    return {
      file,
      name,
      fields: lines.flatMap((line) => {
        const match = /^(\w+)\s+(\w+)\S*\s*(.*)$/.exec(line)
        return match ? [{ name: match[1] ?? '', type: match[2] ?? '', attributes: match[3] ?? '' }] : []
      }),
      blockAttributes: lines.filter((line) => line.startsWith('@@')),
    }
  })
}
