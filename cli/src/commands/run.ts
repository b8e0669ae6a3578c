import { Command, InvalidArgumentError, Option } from 'commander'
import type { Level } from '../run/events.ts'
import type { Io } from '../terminal.ts'

interface Flags {
  config?: string[]
  upstream?: string
  port?: number
  adminPort?: number
  docker?: boolean
  image?: string
  concurrency: number
  logLevel: Level
  rootId?: string
  tcp?: boolean
  open?: boolean
  watch: boolean
  once?: boolean
  json?: boolean
}

const LEVELS: Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'critical']

const examples = `
Examples:
  meshscript run
  meshscript run . --config config.json --upstream 127.0.0.1:8080 --open
  meshscript run first.wasm second.wasm --config first=first.json --config second=second.json`

/** `meshscript run`: filters in a real Envoy. */
export function runCommand(io: Io): Command {
  return new Command('run')
    .description(
      'Run filters in a real Envoy in front of a service, build and reload them when they change, and show each request.\n' +
        'PATH is a folder with assembly/index.ts, a .ts file or a .wasm file; several make a chain. The default is the current folder.\n' +
        'Envoy is downloaded once where there is none. Ctrl-C ends it.',
    )
    .argument('[PATH...]', 'the filters, in their order')
    .option(
      '--config <FILE>',
      "the filter's configuration; NAME=FILE for one of several filters; may be repeated",
      collect,
    )
    .option('--upstream <ADDRESS>', 'HOST:PORT, or a URL (http, https, h2c) (default: an embedded echo service)')
    .option('--port <N>', 'where Envoy listens (default: 10000, or the next free port)', port)
    .option('--admin-port <N>', "port of Envoy's admin interface (default: any)", port)
    .option('--docker', 'run Envoy in a container')
    .option('--image <IMAGE>', 'image of the container; implies --docker')
    .option('--concurrency <N>', "number of Envoy's threads", count, 1)
    .addOption(new Option('--log-level <LEVEL>', 'lowest level of log lines').choices(LEVELS).default('info'))
    .option('--root-id <ID>', 'root id that the filters run with')
    .option('--tcp', 'network filters, in front of a TCP service')
    .option('--open', 'open a page with the requests, their headers before and after the filters, and logs')
    .option('--no-watch', 'do not build or reload on changes')
    .option('--once', 'end as soon as Envoy has taken the filters')
    .option('--json', 'print one JSON object for each event')
    .addHelpText('after', examples)
    .action((paths: string[], flags: Flags) => run(paths, flags, io))
}

async function run(paths: readonly string[], flags: Flags, io: Io): Promise<void> {
  const { preferQuickStart } = await import('../build/engine.ts')
  preferQuickStart()
  const [{ runFilters }, { jsonPrinter, textPrinter }, { readSettings }] = await Promise.all([
    import('../run/index.ts'),
    import('../run/console.ts'),
    import('../settings.ts'),
  ])
  const { config = [], docker, image, tcp, open, watch, once, json, upstream, ...rest } = flags
  const print = json ? jsonPrinter(io) : textPrinter(io)
  await runFilters(
    {
      ...rest,
      paths,
      configurations: config,
      upstream: upstream ?? readSettings(io.cwd).run?.upstream,
      docker: docker === true || image !== undefined,
      image,
      tcp: tcp === true,
      page: open === true,
      watch,
      once: once === true,
      cwd: io.cwd,
      env: io.env,
      signal: io.signal,
    },
    (event) => {
      print(event)
      if (event.event === 'ready' && event.page !== undefined) void show(event.page, io)
    },
  )
}

/** A browser opens for people, not for scripts. */
async function show(url: string, io: Io): Promise<void> {
  if (!io.stdout.isTTY) return
  const { openBrowser } = await import('../run/open.ts')
  openBrowser(url)
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value]
}

function port(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('expected a port.')
  return Number(text)
}

function count(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('expected a number from 1 to 999.')
  return Number(text)
}
