// Lets Node.js import TypeScript files: `node --conditions=meshscript-source --import ./scripts/typescript.mjs FILE.ts`.

import { register } from 'node:module'

register('./lib/typescript-hooks.mjs', import.meta.url)
