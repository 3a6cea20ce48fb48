/** What a process that ended said in the end, for people: its last lines without stack and Node's own farewell. */
export function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line))
  return lines.slice(-10).join('\n')
}
