/** The templates of projects: `common` is in all of them, and a folder of each adds its own. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const templates = {
  header: 'sets and removes headers',
  'auth-callout': 'asks a service whether a request may pass',
  body: 'masks fields of JSON responses',
  tcp: 'lets TCP connections through that begin with a token',
  policy: "a check of one's own beside Istio's AuthorizationPolicies",
} as const

export type Template = keyof typeof templates
export const templateNames = Object.keys(templates) as Template[]

/** npm takes no `.gitignore` into a package, and others read what begins with a dot where it lies. */
const DOTTED = ['gitignore', 'vscode', 'github']
/** Goes into the README. */
const ABOUT = 'about.md'
/** What a template adds to package.json. */
const ADDITIONS = 'additions.json'

/** The files of a project by their names, with `{{NAME}}` as in `values`. */
export function renderTemplate(template: Template, values: Record<string, string>): Map<string, string> {
  const folder = templatesFolder()
  const about = readFileSync(join(folder, template, ABOUT), 'utf8').trim()
  const files = new Map<string, string>()
  for (const part of ['common', template]) {
    for (const name of filesIn(join(folder, part))) {
      if (name === ABOUT) continue
      const text = fill(readFileSync(join(folder, part, name), 'utf8'), { ...values, about })
      if (name === ADDITIONS) files.set('package.json', mergeJson(files.get('package.json')!, text))
      else files.set(dotted(name), text)
    }
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Beside the bundle of `meshscript` and of `create-meshscript`, or beside the sources. */
function templatesFolder(): string {
  const candidates = ['../templates', '../../templates'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
  return candidates.find((path) => existsSync(join(path, 'common'))) ?? candidates[0]!
}

/** Paths with slashes, from the folder on. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(folder, entry.name)).map((name) => `${entry.name}/${name}`) : [entry.name],
  )
}

function dotted(name: string): string {
  return DOTTED.includes(name.split('/')[0]!) ? `.${name}` : name
}

/** What nobody has a value for stays: GitHub's workflows have such braces, too. */
function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (found, name: string) => values[name] ?? found)
}

type Sections = Record<string, unknown>

function mergeJson(base: string, addition: string): string {
  const merged = JSON.parse(base) as Sections
  for (const [name, value] of Object.entries(JSON.parse(addition) as Record<string, Sections>)) {
    const entries = Object.entries({ ...(merged[name] as Sections), ...value })
    // npm sorts packages; scripts are in the order of their use.
    if (name === 'devDependencies') entries.sort(([a], [b]) => (a < b ? -1 : 1))
    merged[name] = Object.fromEntries(entries)
  }
  return `${JSON.stringify(merged, null, 2)}\n`
}
