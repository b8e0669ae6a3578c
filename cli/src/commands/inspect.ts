import { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { NegativeResult, UsageError, UserError } from '../errors.ts'
import { inspectModule, type ModuleReport } from '../inspect/module.ts'
import { renderImage, renderModule } from '../inspect/render.ts'
import { colorsFor, type Io } from '../terminal.ts'

interface Flags {
  json?: boolean
  schema?: boolean
  verifyKey?: string
  insecure?: boolean
  ca?: string
}

const examples = `
Examples:
  meshscript inspect build/hello.wasm
  meshscript inspect build/hello.wasm --schema > schema.json
  meshscript inspect oci://ghcr.io/acme/hello:v1 --verify-key signing.pub`

/** `meshscript inspect`: what a module or an image of one holds. */
export function inspectCommand(io: Io): Command {
  return new Command('inspect')
    .description(
      'Show what a module needs, offers and was made with, and the schema of its configuration; of an image also its ' +
        'digest, annotations, bill of materials, provenance and signatures.',
    )
    .argument('<MODULE>', 'a .wasm file, or oci://HOST/REPOSITORY:TAG')
    .option('--json', 'print the result as JSON')
    .option('--schema', 'print the JSON Schema of the configuration, and nothing else')
    .option('--verify-key <FILE>', 'check the signatures of an image by this public key (PEM)')
    .option('--insecure', 'speak plain HTTP with the registry')
    .option('--ca <FILE>', "PEM file with the certificate of the registry's authority")
    .addHelpText('after', examples)
    .action((module: string, flags: Flags) => run(module, flags, io))
}

async function run(name: string, flags: Flags, io: Io): Promise<void> {
  const remote = name.startsWith('oci://')
  if (flags.verifyKey !== undefined && !remote) {
    throw new UsageError('--verify-key is for images: a file has no signature', 'INSP004')
  }
  const { bytes, image } = remote
    ? await (await import('../inspect/pull.ts')).pullImage(name, flags, io)
    : { bytes: read(name, io), image: undefined }
  const module = inspectModule(bytes, name)
  const refused = flags.verifyKey !== undefined && !image!.signatures.some(({ verified }) => verified)
  // Before anything is printed that a script might take for verified.
  if (refused && flags.schema) throw unsigned()
  if (flags.schema) return printSchema(module, name, io)
  if (flags.json) {
    io.stdout.write(`${JSON.stringify({ version: 1, name, ...(image && { image }), module }, null, 2)}\n`)
  } else {
    const colors = colorsFor(io.stdout, io.env)
    const parts = [...(image ? [renderImage(image, colors)] : []), renderModule(module, colors)]
    io.stdout.write(`${colors.bold(name)}\n${parts.join('\n')}`)
  }
  if (refused) throw flags.json ? new NegativeResult() : unsigned()
}

const unsigned = () => new UserError('no signature of this image is by the key', 'INSP003')

function read(name: string, io: Io): Uint8Array {
  try {
    return readFileSync(resolve(io.cwd, name))
  } catch (error) {
    const hint = /^[\w.-]+(:\d+)?\/.+[:@]/.test(name) ? `; an image is written oci://${name}` : ''
    throw new UserError(`${name} can't be read: ${(error as Error).message}${hint}`, 'INSP001')
  }
}

function printSchema({ schema }: ModuleReport, name: string, io: Io): void {
  if (schema === undefined) {
    throw new UserError(
      `${name} has no schema inside; build it with a schema.json beside the folder assembly`,
      'INSP005',
    )
  }
  io.stdout.write(`${JSON.stringify(schema, null, 2)}\n`)
}
