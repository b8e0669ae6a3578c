/** Asks on a terminal for what the command line left open. */

import { cancel, select, text } from '@clack/prompts'
import { resolve } from 'node:path'
import { type Readable, type Writable } from 'node:stream'
import { NegativeResult } from '../errors.ts'
import { checkName, packageName } from './index.ts'
import { type Template, templateNames, templates } from './templates.ts'

export interface Answers {
  folder: string
  template: Template
  name: string
}

export interface Terminal {
  input?: Readable
  output?: Writable
}

export async function ask(known: Partial<Answers>, cwd: string, terminal: Terminal = {}): Promise<Answers> {
  const folder =
    known.folder ??
    (await answer(
      text({ ...terminal, message: 'Where does the filter go?', placeholder: 'my-filter', defaultValue: 'my-filter' }),
      terminal,
    ))
  const template =
    known.template ??
    (await answer<Template>(
      select({
        ...terminal,
        message: 'What does it do?',
        options: templateNames.map((value) => ({ value, label: value, hint: templates[value] })),
      }),
      terminal,
    ))
  const guess = packageName(resolve(cwd, folder))
  const name =
    known.name ??
    (await answer(
      text({
        ...terminal,
        message: 'Name of its package?',
        placeholder: guess,
        defaultValue: guess,
        validate: (value) => (value ? checkName(value) : undefined),
      }),
      terminal,
    ))
  return { folder, template, name }
}

async function answer<T extends string>(prompt: Promise<T | symbol>, terminal: Terminal): Promise<T> {
  const value = await prompt
  if (typeof value !== 'symbol') return value
  cancel('Nothing was written.', terminal)
  throw new NegativeResult()
}
