import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commands } from './commands/index.ts'
import { createWholeProgram } from './program.ts'
import { CliFolder } from './testing.ts'

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder()
})
afterEach(() => folder.remove())

test('the help of meshscript', async () => {
  const { code, stdout, stderr } = await folder.run('--help')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatchSnapshot()
})

describe.each(Object.keys(commands))('%s', (name) => {
  test('has a help of 80 columns', async () => {
    const { code, stdout, stderr } = await folder.run([name, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatchSnapshot()
    // A line of an example is one of the shell.
    const [text] = stdout.split('Examples:\n')
    expect(text!.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  test('says its exit codes', async () => {
    const { stdout } = await folder.run([name, '--help'])
    expect(stdout).toMatch(/\nExit codes:\n {2}0 .+\n {2}1 .+\n {2}2 .+\n {2}130 .+\n$/)
  })

  test('takes an unknown option for wrong usage, and names the nearest', async () => {
    const program = await createWholeProgram({
      stdout: { write() {} },
      stderr: { write() {} },
      cwd: folder.path,
      env: {},
    })
    const command = program.commands.find((each) => each.name() === name)!
    const required = command.options.filter(({ mandatory }) => mandatory)
    const given = required.flatMap(({ long, argChoices }) => [long!, argChoices?.[0] ?? 'a/b'])
    expect(await folder.run([name, ...given, '--hepl'])).toEqual({
      code: 2,
      stdout: '',
      stderr: "meshscript: unknown option '--hepl'\n(Did you mean --help?)\n(--help tells more)\n",
    })
  })
})
