/** Shows reports to people. */

import { type Colors } from '../terminal.ts'
import { type ImageReport } from './image.ts'
import { type ModuleReport } from './module.ts'

const FORMS: Record<string, string> = {
  docker: 'Docker image with a layer of plugin.wasm',
  compat: 'OCI image with a layer of plugin.wasm',
  artifact: 'OCI artifact with the module as a layer',
}

type Row = readonly [label: string, value: string | undefined]

export function renderModule(report: ModuleReport, colors: Colors): string {
  const { size, gzipSize, abi, sha256, producers, imports, callbacks, exports, configuration, problems } = report
  const others = exports.filter((name) => !callbacks.includes(name))
  const parts = [
    rows(
      [
        ['size', `${bytes(size)}, ${bytes(gzipSize)} gzipped`],
        ['sha256', sha256],
        ['ABI', abi ?? colors.yellow('none that Envoy knows')],
        ...Object.values(producers).flatMap((versions) => Object.entries(versions)),
      ],
      colors,
    ),
    list('callbacks', callbacks, colors),
    list('imports', imports, colors),
    list('other exports', others, colors),
  ]
  if (configuration) {
    const lines = configuration.map(({ name, type, required, description, ...field }) => {
      const notes = [type, ...(required ? ['required'] : []), ...defaultOf(field)].join(', ')
      const [summary] = description?.split('\n') ?? []
      return `  ${colors.bold(name)}  ${notes}${summary ? `\n      ${colors.dim(summary)}` : ''}\n`
    })
    parts.push(`${colors.bold('configuration')} (--schema prints all)\n${lines.join('')}`)
  } else {
    parts.push(`${colors.bold('configuration')}  no schema inside\n`)
  }
  if (problems.length) {
    const lines = problems.map(({ code, message }) => `  ${colors.red(code)}  ${message}\n`)
    parts.push(`${colors.red('Envoy would not run this module')}\n${lines.join('')}`)
  }
  return parts.join('\n')
}

export function renderImage(report: ImageReport, colors: Colors): string {
  const { digest, mediaType, form, annotations, referrers, signatures } = report
  const pairs = (entries: readonly Row[]) => rows(entries, colors, '  ')
  const section = (title: string, lines: string) => `\n${colors.bold(title)}\n${lines || '  none\n'}`
  const state = (verified: boolean | undefined) =>
    verified === undefined
      ? 'not verified (--verify-key)'
      : verified
        ? colors.green('√ verified by the key')
        : colors.red('× not by this key')
  const marks = signatures.map(({ reference, verified }): Row => [
    'signature',
    `${state(verified)}  ${colors.dim(reference ?? 'unreadable')}`,
  ])
  const attached = referrers.map(({ kind, artifactType, verified, ...each }): Row => {
    const known = verified === undefined ? '' : `  ${state(verified)}`
    return [kind === 'other' ? artifactType : kind, `${each.digest}${known}`]
  })
  return (
    rows(
      [
        ['digest', digest],
        ['form', FORMS[form] ?? form],
        ['media type', mediaType],
      ],
      colors,
    ) +
    section('annotations', pairs(Object.entries(annotations))) +
    section('attached', pairs([...attached, ...marks]))
  )
}

function rows(entries: readonly Row[], colors: Colors, indent = ''): string {
  const width = Math.max(0, ...entries.map(([label]) => label.length))
  return entries.map(([label, value]) => `${indent}${colors.dim(label.padEnd(width))}  ${value}\n`).join('')
}

function list(title: string, names: readonly string[], colors: Colors): string {
  return `${colors.bold(title)} (${names.length})\n${names.map((name) => `  ${name}\n`).join('')}`
}

function defaultOf(field: { default?: unknown }): string[] {
  return 'default' in field ? [`default ${JSON.stringify(field.default)}`] : []
}

function bytes(count: number): string {
  return count < 1024 ? `${count} B` : `${(count / 1024).toFixed(1)} KB`
}
