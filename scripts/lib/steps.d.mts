/** The root of the checkout, without a slash at its end. */
export const root: string
