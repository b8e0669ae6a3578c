/**
 * The commands, by name. A command's module is loaded only when the command is called: that keeps every start quick.
 *
 * A command module exports a function that makes its commander `Command` for the given surroundings. Its action throws
 * `UserError` (exit code 1) or `UsageError` (2), and writes to `io`, not to the console.
 */

import { type Command } from 'commander'
import { type Io } from '../terminal.ts'

export type CommandFactory = (io: Io) => Command

interface CommandEntry {
  /** One line for the list of commands. */
  summary: string
  load: () => Promise<CommandFactory>
}

export const commands: Record<string, CommandEntry> = {
  build: {
    summary: 'compile a filter to WebAssembly and check it',
    load: () => import('./build.ts').then((module) => module.buildCommand),
  },
  run: {
    summary: 'run filters in a real Envoy, and show each request',
    load: () => import('./run.ts').then((module) => module.runCommand),
  },
  compile: {
    summary: "turn policies into a filter's configuration",
    load: () => import('./compile.ts').then((module) => module.compileCommand),
  },
  explain: {
    summary: 'tell why policies allow or refuse a request',
    load: () => import('./explain.ts').then((module) => module.explainCommand),
  },
  diff: {
    summary: 'replay recorded requests with changed policies',
    load: () => import('./diff.ts').then((module) => module.diffCommand),
  },
  check: {
    summary: 'check the machine, the cluster and the project',
    load: () => import('./check.ts').then((module) => module.checkCommand),
  },
  push: {
    summary: 'push a module to a registry, as an image',
    load: () => import('./push.ts').then((module) => module.pushCommand),
  },
  pull: {
    summary: 'fetch the module of an image',
    load: () => import('./pull.ts').then((module) => module.pullCommand),
  },
  inspect: {
    summary: 'show what a module or an image holds',
    load: () => import('./inspect.ts').then((module) => module.inspectCommand),
  },
  deploy: {
    summary: 'bring a filter to the proxies of a mesh',
    load: () => import('./deploy.ts').then((module) => module.deployCommand),
  },
  status: {
    summary: 'tell whether deployed filters run, and why not',
    load: () => import('./status.ts').then((module) => module.statusCommand),
  },
  validate: {
    summary: 'check resources for mistakes',
    load: () => import('./validate.ts').then((module) => module.validateCommand),
  },
}
