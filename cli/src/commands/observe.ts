import { Command, InvalidArgumentError, Option } from 'commander'
import { UsageError } from '../errors.ts'
import { filterOptions } from '../observe/options.ts'
import { colorsFor, type Io } from '../terminal.ts'

interface Flags {
  inputFile?: string[]
  listen?: string | true
  follow?: boolean
  first?: number
  last?: number
  all?: boolean
  since?: string
  until?: string
  output: 'compact' | 'dict' | 'json' | 'jsonpb' | 'table'
  printNodeName?: boolean
  printPolicyNames?: boolean
  numeric?: boolean
  timeFormat: string
  color: 'auto' | 'always' | 'never'
}

const FORMS = ['compact', 'dict', 'json', 'jsonpb', 'table']
const TIME_FORMATS = [
  ...['StampMilli', 'YearMonthDay', 'YearMonthDayHour', 'YearMonthDayHourMinute'],
  ...['RFC3339', 'RFC3339Milli', 'RFC3339Micro', 'RFC3339Nano', 'RFC1123Z'],
]

const examples = `
Filters of one kind are alternatives, and one of every kind has to match. With
--not a filter keeps flows out: those that match one of every kind with --not.

Examples:
  meshscript observe
  meshscript observe --listen 0.0.0.0:4246 --verdict DROPPED --print-policy-names
  meshscript observe flows.ndjson --http-status 5+ --to-pod default/deathstar --last 50 -o table
  meshscript observe envoy.log --follow --not --http-path ^/healthz -o jsonpb`

/** `meshscript observe`: flow records, as Hubble shows them. */
export function observeCommand(io: Io): Command {
  const given: [string, string][] = []
  const command = new Command('observe')
    .description(
      'Show flow records: requests, responses and verdicts in the form of Hubble, with its filters and output forms.\n' +
        'Without FILE they are received: the telemetry filter sends them to POST /flows. Ctrl-C ends it.',
    )
    .argument(
      '[FILE...]',
      "files of flow records, one JSON object in each line, or a proxy's log with them; - for standard input",
    )
    .option('--input-file <FILE>', 'one more FILE', collect)
    .option('--listen [ADDRESS]', '[HOST:]PORT where flows are received (default: 127.0.0.1:4246)')
    .option('-f, --follow', 'go on with what is written to the files; what is received is followed anyway')
    .option('--last <N>', 'the last N flows; of a receiver, when it ends', count)
    .option('--first <N>', 'the first N flows, then end', count)
    .option('--all', 'all flows; of a receiver, when it ends')
    .option('--since <TIME>', 'flows since then: a duration before now (5m, 1h30m) or a time (2006-01-02T15:04:05Z)')
    .option('--until <TIME>', 'flows until then; not with --follow')
    .addOption(
      new Option('-o, --output <FORM>', 'json is another name of jsonpb')
        .choices(FORMS)
        .default('compact')
        .helpGroup('Output:'),
    )
    .addOption(new Option('--print-node-name', 'with the node that reported the flow').helpGroup('Output:'))
    .addOption(new Option('--print-policy-names', 'with the policies that allowed or denied it').helpGroup('Output:'))
    .addOption(new Option('--numeric', 'addresses instead of names').helpGroup('Output:'))
    .addOption(
      new Option('--time-format <NAME>', 'how times are written, in UTC')
        .choices(TIME_FORMATS)
        .default('StampMilli')
        .helpGroup('Output:'),
    )
    .addOption(
      new Option('--color <WHEN>', 'colours in the forms compact and dict')
        .choices(['auto', 'always', 'never'])
        .default('auto')
        .helpGroup('Output:'),
    )
  for (const [flags, description] of filterOptions) {
    const option = new Option(flags, description).helpGroup('Filters:')
    command.addOption(option)
    // Their order counts, for --not.
    command.on(`option:${option.name()}`, (value: string | undefined) => given.push([option.name(), value ?? '']))
  }
  return command.addHelpText('after', examples).action((files: string[], flags: Flags) => run(files, flags, given, io))
}

async function run(files: string[], flags: Flags, filters: [string, string][], io: Io): Promise<void> {
  const { inputFile = [], listen, output, color, follow = false, all = false } = flags
  const names = [...files, ...inputFile]
  if (names.length && listen !== undefined) {
    throw new UsageError('flows are read from files or received; leave FILE or --listen out', 'OBS002')
  }
  const { observe } = await import('../observe/index.ts')
  const { timeFormats } = await import('../observe/time.ts')
  await observe(
    {
      files: names,
      listen: typeof listen === 'string' ? listen : '4246',
      follow,
      first: flags.first,
      last: flags.last,
      all,
      since: flags.since,
      until: flags.until,
      filters,
      printer: {
        form: output,
        colors: color === 'always' || (color === 'auto' && colorsFor(io.stdout, io.env).isColorSupported),
        nodeNames: flags.printNodeName === true,
        policyNames: flags.printPolicyNames === true,
        numeric: flags.numeric === true,
        timeFormat: timeFormats.find((name) => name === flags.timeFormat)!,
      },
    },
    io,
  )
}

const collect = (value: string, previous: string[] = []) => [...previous, value]

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text) || Number(text) > 1_000_000) {
    throw new InvalidArgumentError('expected a number from 1 to 1000000.')
  }
  return Number(text)
}
