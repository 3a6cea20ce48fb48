import { spawnSync } from 'node:child_process'

/**
 * The text of `path` where this branch left origin/main, or in HEAD where there is no such remote branch;
 * undefined when the file did not exist there (or this is no git checkout).
 */
export function baseVersion(root: string, path: string): string | undefined {
  const base = git(root, ['merge-base', 'HEAD', 'origin/main'])?.trim() || 'HEAD'
  return git(root, ['show', `${base}:${path}`])
}

function git(cwd: string, args: string[]): string | undefined {
  const result = spawnSync('git', args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  return result.status === 0 ? result.stdout : undefined
}
