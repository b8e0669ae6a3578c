export interface Manifest {
  name: string
  version: string
  private?: boolean
  dependencies?: Record<string, string>
  [field: string]: unknown
}
export interface Package {
  /** Of the workspace, from the checkout's. */
  folder: string
  manifest: Manifest
}
/** A tarball, and the manifest in it. */
export interface Packed {
  file: string
  manifest: Manifest
}
export function publishedPackages(): Package[]
export function publishedManifest(manifest: Manifest): Manifest
export function pack(packages: readonly Package[], target: string): Promise<Packed[]>
export const npmCommand: string
