/** Entry of `create-meshscript`: `meshscript init` as a program of its own. */

import packageJson from '../package.json' with { type: 'json' }
import { configureCommand, exitCodeOf } from './command.ts'
import { initCommand } from './commands/init.ts'
import { type Io } from './terminal.ts'

const io: Io = { stdout: process.stdout, stderr: process.stderr, cwd: process.cwd(), env: process.env }
const args = process.argv.slice(2)
const program = configureCommand(initCommand(io, 'create-meshscript'), io).version(
  packageJson.version,
  '-V, --version',
  'print the version',
)
process.exitCode = await exitCodeOf(() => program.parseAsync(args, { from: 'user' }), args, io)
