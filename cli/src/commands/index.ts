/**
 * The commands, by name. A command's module is loaded only when the command is called: that keeps every start quick.
 *
 * A command module exports a function that makes its commander `Command` for the given surroundings. Its action throws
 * `UserError` (exit code 1) or `UsageError` (2), and writes to `io`, not to the console.
 */

import { type Command } from 'commander'
import { type ExitMeanings } from '../exit.ts'
import { type Io } from '../terminal.ts'

export type CommandFactory = (io: Io) => Command

export interface CommandEntry {
  /** One line for the list of commands. */
  summary: string
  load: () => Promise<CommandFactory>
  /** Exit codes that mean something else than those of other commands. */
  exits?: ExitMeanings
}

export const commands: Record<string, CommandEntry> = {
  init: {
    summary: 'make a project for a filter',
    load: () => import('./init.ts').then((module) => module.initCommand),
  },
  build: {
    summary: 'compile a filter to WebAssembly and check it',
    load: () => import('./build.ts').then((module) => module.buildCommand),
    exits: { 130: 'stopped by Ctrl-C; with --watch that is no failure: 0' },
  },
  test: {
    summary: "run a project's specs in the Node host and in Envoy",
    load: () => import('./test.ts').then((module) => module.testCommand),
    exits: { 1: 'a test failed, or there is nothing to test with' },
  },
  run: {
    summary: 'run filters in a real Envoy, and show each request',
    load: () => import('./run.ts').then((module) => module.runCommand),
    exits: { 0: 'done, or ended by Ctrl-C' },
  },
  observe: {
    summary: 'show flow records as Hubble does',
    load: () => import('./observe.ts').then((module) => module.observeCommand),
    exits: { 0: 'done, or ended by Ctrl-C' },
  },
  compile: {
    summary: "turn policies into a filter's configuration",
    load: () => import('./compile.ts').then((module) => module.compileCommand),
    exits: { 1: 'an input is invalid or cannot be enforced' },
  },
  explain: {
    summary: 'tell why policies allow or refuse a request',
    load: () => import('./explain.ts').then((module) => module.explainCommand),
    exits: { 1: 'an input is invalid; with --fail-on-deny also: a request is not allowed' },
  },
  diff: {
    summary: 'replay recorded requests with changed policies',
    load: () => import('./diff.ts').then((module) => module.diffCommand),
    exits: { 0: 'no verdict changes', 1: 'a verdict changes or may change', 2: 'wrong usage, or an invalid input' },
  },
  check: {
    summary: 'check the machine, the cluster and the project',
    load: () => import('./check.ts').then((module) => module.checkCommand),
    exits: { 0: 'nothing is wrong; there may be warnings', 1: 'something is wrong' },
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
    exits: { 1: 'it cannot be read; with --verify-key also: no signature is by the key' },
  },
  deploy: {
    summary: 'bring a filter to the proxies of a mesh',
    load: () => import('./deploy.ts').then((module) => module.deployCommand),
    exits: { 1: 'refused or failed; with --diff also: something would change' },
  },
  status: {
    summary: 'tell whether deployed filters run, and why not',
    load: () => import('./status.ts').then((module) => module.statusCommand),
    exits: { 0: 'all filters run', 1: 'something is wrong, or cannot be told' },
  },
  validate: {
    summary: 'check resources for mistakes',
    load: () => import('./validate.ts').then((module) => module.validateCommand),
    exits: { 0: 'all resources are valid', 1: 'one is not' },
  },
  completion: {
    summary: 'print a completion script for a shell',
    load: () => import('./completion.ts').then((module) => module.completionCommand),
  },
}
