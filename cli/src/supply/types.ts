/** What the supply chain's documents are made of. */

import { type Producers } from '../wasm/metadata.ts'

/** A package whose sources were compiled into a module, or a tool that made it. */
export interface Component {
  name: string
  version?: string
  /** As in package.json. */
  license?: string
  /** From package.json. */
  repository?: string
}

/** Where the sources come from. */
export interface Source {
  /** URL of the repository, without credentials. */
  repository?: string
  commit: string
  /** The commit's time, ISO 8601. */
  time: string
  /** Path of the package inside the repository, with slashes; empty at its root. */
  path: string
  /** Whether the files that the module is made of differ from the commit. */
  modified: boolean
}

/** A source file of the filter's own package. */
export interface OwnFile {
  /** Relative to the package. */
  path: string
  /** Hex. SPDX asks for it, whatever it is worth. */
  sha1: string
  sha256: string
}

/** Everything that is known of how a module was made. */
export interface Origin {
  /** Base name of the module's file. */
  file: string
  /** SHA-256 of its bytes, hex. */
  sha256: string
  /** The author's package; named as the file where there is none. */
  filter: Component
  /** Packages compiled in, the author's left out, by name. */
  packages: readonly Component[]
  producers: Producers
  files: readonly OwnFile[]
  source?: Source
  /** Which names the module carries, as `--strip` and `--debug` decide. */
  names: 'none' | 'functions' | 'all'
}
