/**
 * Plugin for vitest: `import hello from './assembly/index.ts?filter'` builds the filter and gives the path of its module.
 * In watch mode a change of any of its sources builds it again, by a compiler that is still warm, and runs the tests that import it.
 */

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { buildFilter, type BuildOptions } from './build/index.ts'
import { findProject } from './build/project.ts'
import { formatDiagnostic } from './diagnostics.ts'
import { UserError } from './errors.ts'
import { colorsFor } from './terminal.ts'

const FILTER = '?filter'
/** Stands for a source of a filter in vitest's graph of modules, so that its changes are seen. */
const SOURCE = '?filter-source'

export interface FilterPluginOptions extends Pick<BuildOptions, 'alias' | 'debug'> {
  /** Where the modules go. Default: a folder for temporary files. */
  folder?: string
}

/** The part of Vite's plugin that is used: this package does not depend on it. */
interface VitePlugin {
  name: string
  enforce: 'pre'
  load(this: void, id: string): Promise<string | undefined>
}

export function filterPlugin({ folder, ...options }: FilterPluginOptions = {}): VitePlugin {
  const target = folder ?? join(tmpdir(), `meshscript-vitest-${process.getuid?.() ?? ''}`)
  const build = async (path: string) => {
    const hash = createHash('sha256')
      .update(JSON.stringify([path, options]))
      .digest('hex')
      .slice(0, 16)
    // The file's name is the plugin's name in a test host, and so in its messages.
    return buildFilter({ ...options, path, output: join(target, hash, `${findProject(path).name}.wasm`) })
  }
  return {
    name: 'meshscript-filter',
    enforce: 'pre',
    async load(id) {
      if (id.endsWith(SOURCE)) return ''
      if (!id.endsWith(FILTER)) return undefined
      const path = id.slice(0, -FILTER.length)
      const { sources, output } = await build(path).catch(explain)
      const imports = sources
        .filter((file) => file.endsWith('.ts'))
        .map((file) => `import ${JSON.stringify(file + SOURCE)}`)
      return [...imports, `export default ${JSON.stringify(output)}`].join('\n')
    },
  }
}

function explain(error: unknown): never {
  if (!(error instanceof UserError)) throw error
  const shown = error.diagnostics.map((diagnostic) =>
    formatDiagnostic(diagnostic, process.cwd(), colorsFor(process.stderr, process.env)),
  )
  throw new Error([...shown, error.message].join('\n'))
}
