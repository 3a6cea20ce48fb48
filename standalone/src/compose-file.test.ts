import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { SUBGRAPHS } from './distributed-plan.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      build: z.string().optional(),
      command: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).default({}),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
      healthcheck: z.object({ test: z.array(z.string()) }).optional(),
      ports: z.array(z.string()).optional(),
      volumes: z.array(z.string()).default([]),
    }),
  ),
  volumes: z.record(z.string(), z.null()),
})

const { services, volumes } = composeSchema.parse(parse(read('docker-compose.yml'), { merge: true }))
const ours = Object.entries(services).filter(([, service]) => service.build !== undefined)
const entryOf = (command: readonly string[] | undefined) => command?.[0] ?? ''

describe('docker-compose.yml', () => {
  it('has every process of a distributed Tutti', () => {
    expect(ours.map(([name]) => name).toSorted()).toEqual(
      [...SUBGRAPHS, 'gateway', 'migrate', 'workers'].toSorted(),
    )
  })

  it.each(ours)('%s runs a module that exists', (_name, service) => {
    expect(existsSync(join(ROOT, entryOf(service.command)))).toBe(true)
  })

  it.each(ours)('%s gets only variables that its process reads', (_name, service) => {
    // The common ones, and what the process names itself.
    const known = new Set([
      ...(read('runtime/src/process/read-env.ts').match(/\b[A-Z][A-Z0-9_]+(?=:)/g) ?? []),
      ...(SUBGRAPHS.some((name) => entryOf(service.command).startsWith(`subgraphs/${name}/`))
        ? (read('runtime/src/graphql/run-subgraph.ts').match(/\b[A-Z][A-Z0-9_]+(?=:)/g) ?? [])
        : []),
      ...(read(entryOf(service.command)).match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []),
      ...environmentFilesBeside(entryOf(service.command)),
    ])
    expect(Object.keys(service.environment).filter((name) => !known.has(name))).toEqual([])
  })

  it('lets people be told, links begin with the public address, and checkpoints leave the database', () => {
    const { workers, gateway } = services
    expect(workers?.environment).toMatchObject({
      TUTTI_SMTP_URL: '${TUTTI_SMTP_URL:-}',
      TUTTI_MAIL_FROM: '${TUTTI_MAIL_FROM:-}',
      TUTTI_PUBLIC_URL: gateway?.environment['TUTTI_PUBLIC_URL'],
      TUTTI_CHECKPOINTS: '${TUTTI_CHECKPOINTS:-/checkpoints/checkpoints.jsonl}',
    })
    expect(workers?.volumes).toEqual(['checkpoints:/checkpoints'])
    // A volume takes its owner from the image: the processes do not run as root.
    expect(read('Dockerfile')).toContain('install -d -o node -g node /checkpoints')
  })

  it('keeps the owner of the database to the migration job', () => {
    const withPassword = ours.filter(([, service]) =>
      service.environment['DATABASE_URL']?.includes('POSTGRES_PASSWORD'),
    )
    expect(withPassword.map(([name]) => name)).toEqual(['migrate'])
  })

  it('opens the gateway alone, and that one on a port of choice', () => {
    expect(Object.entries(services).flatMap(([name, service]) => (service.ports ? [name] : []))).toEqual([
      'gateway',
    ])
  })

  it('waits for what exists: services, health checks, volumes', () => {
    for (const [name, service] of Object.entries(services)) {
      for (const [other, { condition }] of Object.entries(service.depends_on)) {
        expect(services, `${name} waits for ${other}`).toHaveProperty(other)
        if (condition === 'service_healthy') expect(services[other]?.healthcheck, other).toBeDefined()
      }
      for (const volume of service.volumes) expect(volumes).toHaveProperty(volume.split(':')[0] ?? '')
    }
  })
})

describe('Dockerfile', () => {
  it('runs on the Node that the repository pins, and installs nothing for development', () => {
    const text = read('Dockerfile')
    const pinned = /"node": "(\d+)\./.exec(read('package.json'))?.[1]
    const images = [...text.matchAll(/^FROM node:(\d+)/gm)].map((match) => match[1])
    expect(images).toEqual([pinned, pinned])
    expect(text.slice(text.lastIndexOf('FROM'))).toContain('npm ci --omit=dev')
  })
})

// A process may keep the shape of its environment in a file of its own.
function environmentFilesBeside(entry: string): string[] {
  return ['environment.ts', 'env.ts', 'read-environment.ts']
    .map((name) => join(entry, '..', name))
    .filter((path) => existsSync(join(ROOT, path)))
    .flatMap((path) => read(path).match(/\b[A-Z][A-Z0-9_]+\b/g) ?? [])
}
