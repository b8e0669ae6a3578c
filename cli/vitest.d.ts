/// <reference path="./filter.d.ts" />

export interface FilterPluginOptions {
  /** Imports of the keys are taken from the values, e.g. `@solo-io/proxy-runtime` from `@meshscript/sdk/compat/proxy-runtime`. */
  alias?: Record<string, string>
  /** Not optimised, with assertions and all names. */
  debug?: boolean
  /** Where the modules go. Default: a folder for temporary files. */
  folder?: string
}

/** Plugin for vitest: `import filter from './assembly/index.ts?filter'` builds the filter and gives the path of its module. */
export function filterPlugin(options?: FilterPluginOptions): {
  name: string
  enforce: 'pre'
  load(this: void, id: string): Promise<string | undefined>
}
