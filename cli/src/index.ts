/** The library behind the command: what `meshscript build` does, for scripts and tests. */

export { runCli } from './cli.ts'
export { ExitCode } from './exit.ts'
export { type Io, type Output } from './terminal.ts'
export { UserError, UsageError } from './errors.ts'
export { formatDiagnostic, type Diagnostic } from './diagnostics.ts'
export {
  buildFilter,
  checkModule,
  checkCodes,
  type BuildOptions,
  type BuildResult,
  type CheckCode,
  type CheckProblem,
} from './build/index.ts'
export { watchFilter, type WatchOptions } from './build/watch.ts'
