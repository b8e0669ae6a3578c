import { Command, InvalidArgumentError, Option } from 'commander'
import { type PushFlags } from '../oci/publish.ts'
import { type Io } from '../terminal.ts'

const examples = `
Examples:
  meshscript push build/hello.wasm oci://ghcr.io/acme/hello:v1
  meshscript push . oci://ghcr.io/acme/hello --tag v1.2.0 --tag v1 --sign-key cosign.key
  meshscript push build/hello.wasm oci://localhost:5000/hello:dev --dry-run --json`

/** `meshscript push`: a module as an image that Istio and Envoy Gateway fetch. */
export function pushCommand(io: Io): Command {
  return new Command('push')
    .description(
      "Push a module to a registry, as an image that Istio and Envoy Gateway take. Prints the image's name by digest.\n" +
        "FILE is a .wasm file; a folder or .ts file is built; without it the project's last build is pushed.\n" +
        'REFERENCES are oci://REGISTRY/REPOSITORY[:TAG]; the default is the registry of meshscript.json. ' +
        'Without a tag it is the version of package.json, or latest.',
    )
    .argument('[FILE]', 'the module')
    .argument('[REFERENCES...]', 'where it goes')
    .option('--tag <TAG>', 'another tag; may be repeated', addTag)
    .addOption(
      new Option('--layout <LAYOUT>', 'compat: one layer, which everybody reads; artifact: the bare module')
        .choices(['compat', 'artifact'])
        .default('compat'),
    )
    .option(
      '--annotation <KEY=VALUE>',
      'annotation of the image, also in place of one from package.json or git; may be repeated',
      addAnnotation,
    )
    .option('--insecure', 'speak plain HTTP with the registry')
    .option('--ca <FILE>', "PEM file with the certificate of the registry's authority")
    .option('--mount-from <REPOSITORY>', 'take layers from this repository of the same registry, if it has them')
    .option('--sign-key <FILE>', 'sign the image as cosign does, with this private key (PEM, ECDSA P-256)')
    .option('--no-sbom', 'attach no bill of materials (SPDX)')
    .option('--no-provenance', 'attach no provenance (SLSA)')
    .option('--no-check', 'push the module even if Envoy would not run it')
    .option('--dry-run', 'tell what would be pushed; nothing is sent or asked')
    .option('-o, --output <FILE>', 'write an OCI image layout (tar) instead of pushing')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples)
    .action(async (file: string | undefined, references: string[], flags: PushFlags) => {
      // The help needs none of it.
      const { publish } = await import('../oci/publish.ts')
      await publish(file, references, flags, io)
    })
}

function addTag(tag: string, previous: string[] = []): string[] {
  return [...previous, tag]
}

function addAnnotation(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('expected KEY=VALUE.')
  return { ...previous, [text.slice(0, equals)]: text.slice(equals + 1) }
}
