/** The root of the checkout, without a slash at its end. */
export const root: string
/** All files in folders of the checkout, without build outputs. */
export function filesUnder(paths: readonly string[]): string[]
