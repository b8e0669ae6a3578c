/** What checks ask of registries. */

export interface Images {
  /** The digest of an image; rejects with a `UserError` that says why it can't be had. */
  resolve(reference: string, signal: AbortSignal): Promise<{ digest: string }>
  /** The module in an image. */
  pull(reference: string, signal: AbortSignal): Promise<{ module: Uint8Array }>
}
