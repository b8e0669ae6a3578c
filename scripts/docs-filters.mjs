// Writes the fields of each filter's configuration, as its schema has them, into its README: `node scripts/docs-filters.mjs [--check]`.
// A README has them between the lines `<!-- fields -->` and `<!-- /fields -->`; with `--check` nothing is written, and an old one is an error.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { fail } from './lib/process.mjs'
import { root } from './lib/steps.mjs'

const [BEGIN, END] = ['<!-- fields -->', '<!-- /fields -->']

async function write(isCheck) {
  const filters = readdirSync(join(root, 'filters')).filter((name) =>
    existsSync(join(root, 'filters', name, 'schema.json')),
  )
  for (const name of filters) {
    const file = join(root, 'filters', name, 'README.md')
    const text = readFileSync(file, 'utf8')
    const schema = JSON.parse(readFileSync(join(root, 'filters', name, 'schema.json'), 'utf8'))
    const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
    if (begin < 0 || end < begin) throw new Error(`filters/${name}/README.md has no lines ${BEGIN} and ${END}`)
    const made = `${text.slice(0, begin)}${BEGIN}\n\n${describe(schema)}\n\n${text.slice(end)}`
    const wanted = await format(made, { ...(await resolveConfig(file)), parser: 'markdown' })
    if (wanted === text) continue
    if (isCheck) throw new Error(`filters/${name}/README.md is older than schema.json: run \`npm run docs:filters\``)
    writeFileSync(file, wanted)
    process.stdout.write(`• filters/${name}/README.md\n`)
  }
}

function describe(schema) {
  const definitions = Object.entries(schema.definitions ?? {})
  return [table(schema), ...definitions.map(([name, each]) => section(name, each))].join('\n\n')
}

function section(name, schema) {
  const variants = variantsOf(schema)
  const parts = [`### Type ${name}`, schema.description]
  if (variants.length) parts.push(variants.map(table).join('\n\nor\n\n'))
  else
    parts.push(
      `${capital(typeOf(schema))}.`,
      variantsOf(schema.items ?? {})
        .map(table)
        .join('\n\nor\n\n'),
    )
  return parts.filter(Boolean).join('\n\n')
}

/** Objects that a value may be. */
function variantsOf(schema) {
  return [schema, ...(schema.oneOf ?? schema.anyOf ?? [])].filter(({ properties }) => properties)
}

function table({ properties, required = [] }) {
  const rows = flatten(properties, required).map(([name, schema, isRequired]) => {
    const fallback = schema.default === undefined ? '' : code(schema.default)
    return row([code(name, true), typeOf(schema), isRequired ? 'required' : fallback, schema.description ?? ''])
  })
  return [row(['field', 'type', 'default', 'meaning']), row(['---', '---', '---', '---']), ...rows].join('\n')
}

/** Fields of objects that have no name of their own stand behind them: `denial.status`. */
function flatten(properties, required, prefix = '') {
  return Object.entries(properties).flatMap(([name, schema]) => {
    if (typeof schema !== 'object') return []
    const path = prefix + name
    const inner = schema.properties ? flatten(schema.properties, schema.required ?? [], `${path}.`) : []
    return [[path, schema, required.includes(name)], ...inner]
  })
}

function typeOf(schema) {
  if (schema === true) return 'anything'
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1)
    return `[${name}](#type-${name.toLowerCase()})`
  }
  if (schema.const !== undefined) return code(schema.const)
  if (schema.enum) return schema.enum.map((value) => code(value)).join(', ')
  const variants = schema.oneOf ?? schema.anyOf
  if (variants && !schema.properties) return variants.map(typeOf).join(' or ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? true)}`
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    return `object: name to ${typeOf(schema.additionalProperties)}`
  }
  const { type = 'anything', minimum, maximum } = schema
  const range = [minimum !== undefined && `from ${minimum}`, maximum !== undefined && `to ${maximum}`].filter(Boolean)
  return [Array.isArray(type) ? type.join(' or ') : type, ...range].join(' ')
}

const capital = (text) => text[0].toUpperCase() + text.slice(1)
const code = (value, isName = false) => `\`${isName || typeof value === 'string' ? value : JSON.stringify(value)}\``
const row = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`

await write(process.argv.includes('--check')).catch(fail)
