import { Command } from 'commander'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { displayPath } from '../diagnostics.ts'
import { UsageError, UserError } from '../errors.ts'
import { type Io } from '../terminal.ts'

interface Flags {
  output?: string
  insecure?: boolean
  ca?: string
  json?: boolean
}

const examples = `
Examples:
  meshscript pull oci://ghcr.io/acme/hello:v1 -o hello.wasm`

/** `meshscript pull`: the module of an image, as Istio's agent would get it. */
export function pullCommand(io: Io): Command {
  return new Command('pull')
    .description(
      "Fetch the module of an image, in all forms that Istio's agent takes; what it would refuse is refused, with the reason.\n" +
        'REFERENCE is oci://REGISTRY/REPOSITORY[:TAG][@sha256:…]; the default is the registry of meshscript.json.',
    )
    .argument('[REFERENCE]', 'the image')
    .option('-o, --output <FILE>', 'where the module goes (default: NAME.wasm, by the last part of the repository)')
    .option('--insecure', 'speak plain HTTP with the registry')
    .option('--ca <FILE>', "PEM file with the certificate of the registry's authority")
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples)
    .action((reference: string | undefined, flags: Flags) => run(reference, flags, io))
}

async function run(text: string | undefined, flags: Flags, io: Io): Promise<void> {
  // The help needs none of it.
  const [{ formatReference, parseReference, pullModule }, { connectionOptions }, { readSettings }] = await Promise.all([
    import('../oci/index.ts'),
    import('../oci/publish.ts'),
    import('../settings.ts'),
  ])
  const settings = readSettings(io.cwd)
  const name = text ?? settings.registry
  if (name === undefined)
    throw new UsageError('which image? Name oci://REGISTRY/REPOSITORY:TAG, or set "registry" in meshscript.json')
  const reference = parseReference(name)
  const { module, ...pulled } = await pullModule(reference, connectionOptions(reference, flags, settings, io))
  const file = resolve(io.cwd, flags.output ?? `${reference.repository.split('/').at(-1)}.wasm`)
  try {
    writeFileSync(file, module)
  } catch (error) {
    throw new UserError(`${displayPath(file, io.cwd)} can't be written: ${(error as Error).message}`, 'OCI008')
  }
  const output = displayPath(file, io.cwd)
  const image = formatReference({ ...reference, tag: undefined, digest: pulled.digest })
  if (flags.json) {
    const report = { version: 1, reference: image, output, size: module.length, ...pulled }
    io.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
    return
  }
  io.stdout.write(`${output}\n`)
  io.stderr.write(`${image}  ${pulled.form}  ${module.length} bytes\n`)
}
