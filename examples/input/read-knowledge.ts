import { globSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

import { parse } from 'yaml'

import { InputMistake } from './input-mistake.ts'
import { readTextFile } from './read-text-file.ts'

/** One article as its Markdown file gives it. */
export interface Article {
  /** Stable across loads: the front matter's `id`, or the file's name. */
  externalId: string
  title: string
  language: string
  tags: string[]
  intents: string[]
  body: string
}

function text(value: unknown, fallback: string): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : fallback
}

function texts(value: unknown): string[] {
  if (typeof value === 'string')
    return value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
  return Array.isArray(value) ? value.map(String) : []
}

function readArticle(path: string): Article {
  const source = readTextFile(path).replaceAll('\r\n', '\n')
  const match = /^---\n(.*?)\n---\n?/s.exec(source)
  if (source.startsWith('---\n') && !match)
    throw new InputMistake(`${path}: its front matter (---) is never closed.`)
  let front: unknown
  try {
    front = match ? parse(match[1] ?? '') : {}
  } catch (error) {
    throw new InputMistake(
      `${path}: its front matter is not YAML (${error instanceof Error ? error.message : String(error)}).`,
    )
  }
  const fields = new Map<string, unknown>(
    typeof front === 'object' && front !== null ? Object.entries(front) : [],
  )
  const body = source.slice(match?.[0].length ?? 0).trim()
  if (body === '') throw new InputMistake(`${path}: there is no text in it.`)
  const name = basename(path, '.md')
  return {
    externalId: text(fields.get('id'), name),
    title: text(fields.get('title'), /^#\s+(.+)$/m.exec(body)?.[1] ?? name),
    language: text(fields.get('language'), 'en'),
    tags: texts(fields.get('tags')),
    intents: texts(fields.get('intents')),
    body,
  }
}

/**
 * All `.md` files under a directory, by name. Front matter (id, title, language, tags, intents) is optional: without it the
 * file's name is the id and its first heading the title. Intents are the categories an article answers.
 */
export function readKnowledge(directory: string): Article[] {
  const root = resolve(directory)
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory())
    throw new InputMistake(`${root}: there is no such directory (--knowledge wants one with .md files).`)
  const files = globSync('**/*.md', { cwd: root }).sort()
  if (files.length === 0) throw new InputMistake(`${root}: there is no .md file in it.`)
  const fileOf = new Map<string, string>()
  return files.map((file) => {
    const article = readArticle(join(root, file))
    const before = fileOf.get(article.externalId)
    if (before !== undefined)
      throw new InputMistake(
        `${join(root, file)}: the id "${article.externalId}" is already used by ${before}.`,
      )
    fileOf.set(article.externalId, file)
    return article
  })
}
