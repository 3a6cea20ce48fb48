/**
 * Why a command may not be run as an MCP server; undefined when it may. The operator of the installation lists whole
 * command lines in TUTTI_MCP_COMMANDS, parted by `;` and each in words; a last word `*` stands for any further ones.
 */
export function commandProblem(
  command: string,
  args: readonly string[],
  allowed: string = process.env['TUTTI_MCP_COMMANDS'] ?? '',
): string | undefined {
  const words = [command, ...args]
  const lines = allowed.split(';').map((line) => line.trim().split(/\s+/))
  return lines.some((line) => admits(line, words))
    ? undefined
    : 'The operator of this installation does not allow this command (TUTTI_MCP_COMMANDS).'
}

function admits(line: readonly string[], words: readonly string[]): boolean {
  const open = line.length > 1 && line.at(-1) === '*'
  const fixed = open ? line.slice(0, -1) : line
  return (
    fixed[0] !== '' &&
    (open ? words.length >= fixed.length : words.length === fixed.length) &&
    fixed.every((word, index) => word === words[index])
  )
}
