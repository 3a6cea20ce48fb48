#!/usr/bin/env node
// An installed package has been built, since Node strips no types below node_modules; a checkout has not.
import { existsSync } from 'node:fs'

const built = new URL('../dist/main.js', import.meta.url)
await import(existsSync(built) ? built.href : '../src/main.ts')
