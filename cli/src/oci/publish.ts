/** `meshscript push`: finds, checks and packs the module, pushes or writes it with what goes with it, and reports. */

import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError, UserError } from '../errors.ts'
import { describeModule } from './annotations.ts'
import { checkTag, formatReference, type Layout, packImage, parseReference, type Reference } from './index.ts'
import { ImageLayout } from './layout.ts'
import { findModule, refuseBadModule } from './module.ts'
import { pushImage, type Pushed } from './push.ts'
import { readSettings, type Settings } from '../settings.ts'
import { attachAll, type Attached, readSigningKey, type ReferrerTarget } from '../supply/index.ts'
import { type Io } from '../terminal.ts'
import { Progress } from '../commands/progress.ts'

export interface PushFlags {
  tag?: string[]
  layout: Layout
  annotation?: Record<string, string>
  insecure?: boolean
  ca?: string
  mountFrom?: string
  signKey?: string
  sbom: boolean
  provenance: boolean
  check: boolean
  dryRun?: boolean
  output?: string
  json?: boolean
}

interface Report {
  reference: string
  digest: string
  tags: readonly string[]
  blobs: Pushed['blobs']
  attached: readonly Attached[]
}

export async function publish(first: string | undefined, rest: string[], flags: PushFlags, io: Io): Promise<void> {
  const [file, names] = first?.startsWith('oci://') ? [undefined, [first, ...rest]] : [first, rest]
  const settings = readSettings(io.cwd)
  const given = names.length ? names : settings.registry === undefined ? [] : [settings.registry]
  if (!given.length)
    throw new UsageError('where to? Name oci://REGISTRY/REPOSITORY:TAG, or set "registry" in meshscript.json')
  const references = given.map((name) => withoutDigest(parseReference(name)))
  for (const tag of flags.tag ?? []) checkTag(tag)
  if (flags.signKey !== undefined) readSigningKey(resolve(io.cwd, flags.signKey))

  const module = await findModule(file, settings.filter ?? io.cwd, io.cwd)
  if (flags.check) await refuseBadModule(module)
  const { annotations, version } = await describeModule(module.bytes, module.path, io.env)
  const image = packImage(module.bytes, { layout: flags.layout, annotations: { ...annotations, ...flags.annotation } })
  const attach = (target: ReferrerTarget, reference: Reference) => {
    const { bytes: _, ...subject } = image.manifest
    return attachAll(target, reference, subject, {
      module: module.bytes,
      project: module.path,
      sbom: flags.sbom,
      provenance: flags.provenance,
      signKey: flags.signKey && resolve(io.cwd, flags.signKey),
      env: io.env,
    })
  }
  const groups = groupByRepository(references, flags.tag ?? [], defaultTag(version))
  if (flags.output !== undefined && groups.length > 1) throw new UsageError('--output takes one repository')
  const progress = new Progress(io)
  const reports: Report[] = []
  try {
    for (const { reference, tags } of groups) {
      const name = formatReference({ ...reference, digest: image.manifest.digest })
      const report = { reference: name, digest: image.manifest.digest, tags }
      if (flags.dryRun || flags.output !== undefined) {
        const layout = new ImageLayout()
        layout.add(image, tags)
        const attached = await attach(layout, reference)
        if (flags.output !== undefined && !flags.dryRun) write(resolve(io.cwd, flags.output), layout.toTar())
        const blobs = image.blobs.map(({ label, digest, size }) => ({ label, digest, size, how: 'uploaded' as const }))
        reports.push({ ...report, blobs, attached })
        continue
      }
      let attached: Attached[] = []
      const { blobs } = await pushImage(image, reference, tags, {
        ...connectionOptions(reference, flags, settings, io),
        mountFrom: flags.mountFrom,
        attach: async (registry) => void (attached = await attach(registry, reference)),
        onProgress: ({ text, done, total }) => progress.show(`${text}: ${Math.floor((100 * done) / total)} %`),
      })
      progress.clear()
      reports.push({ ...report, blobs, attached })
    }
  } finally {
    progress.clear()
  }
  print(reports, image.manifest, { ...annotations, ...flags.annotation }, flags, io)
}

/** A digest says what is there already; it can't say what is going to be. */
function withoutDigest(reference: Reference): Reference {
  if (reference.digest !== undefined) throw new UsageError('a digest comes out of a push; name a tag')
  return reference
}

export function connectionOptions(
  reference: Reference,
  flags: Pick<PushFlags, 'insecure' | 'ca'>,
  settings: Settings,
  io: Io,
) {
  // The setting is about the registry beside it.
  const own = settings.registry !== undefined && parseReference(settings.registry).registry === reference.registry
  const insecure = flags.insecure ?? (own ? settings.insecure : undefined)
  return { insecure, ca: flags.ca && resolve(io.cwd, flags.ca), env: io.env, signal: io.signal }
}

function defaultTag(version: string | undefined): string {
  // Versions may have a +, tags may not.
  return version?.replaceAll('+', '_') ?? 'latest'
}

function groupByRepository(references: readonly Reference[], more: readonly string[], fallback: string) {
  type Group = { reference: Reference; tags: string[] }
  const groups = new Map<string, Group>()
  for (const { tag, ...reference } of references) {
    const key = formatReference(reference)
    const group: Group = groups.get(key) ?? { reference, tags: [] }
    groups.set(key, group)
    if (tag !== undefined && !group.tags.includes(tag)) group.tags.push(tag)
  }
  for (const { tags } of groups.values()) {
    for (const tag of more) if (!tags.includes(tag)) tags.push(tag)
    if (!tags.length) tags.push(fallback)
  }
  return [...groups.values()]
}

function write(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes)
  } catch (error) {
    throw new UserError(`${file} can't be written: ${(error as Error).message}`, 'OCI008')
  }
}

function print(
  reports: readonly Report[],
  { mediaType, digest, size }: { mediaType: string; digest: string; size: number },
  annotations: Record<string, string>,
  flags: PushFlags,
  io: Io,
): void {
  const done = flags.dryRun ? 'would be' : flags.output === undefined ? 'was' : 'written'
  if (flags.json) {
    const images = reports.map((report) => ({
      ...report,
      blobs: report.blobs.map(({ how, ...blob }) => (done === 'was' ? { ...blob, how } : blob)),
    }))
    const manifest = { mediaType, digest, size }
    const pushed = done === 'was'
    io.stdout.write(
      `${JSON.stringify({ version: 1, pushed, layout: flags.layout, manifest, annotations, images }, null, 2)}\n`,
    )
    return
  }
  const line = (label: string, text: string) => io.stderr.write(`${label.padEnd(11)}${text}\n`)
  for (const { reference, tags, blobs, attached } of reports) {
    for (const { label, digest, size, how } of blobs)
      line(label, `${digest}  ${size} bytes${done === 'was' ? `  ${how}` : ''}`)
    line('manifest', `${digest}  ${size} bytes`)
    for (const { kind, reference } of attached) line(kind, reference)
    if (flags.dryRun) for (const [key, value] of Object.entries(annotations)) line('annotation', `${key}=${value}`)
    line(tags.length > 1 ? 'tags' : 'tag', tags.join(', '))
    io.stdout.write(`${reference}\n`)
  }
  if (flags.dryRun) io.stderr.write('nothing was sent (--dry-run)\n')
}
