/** One thing that was found out about a plugin. */
export interface Finding {
  /** What it is about: `registry`, `module`, `pods` or a proxy. */
  subject: string
  level: 'ok' | 'warning' | 'error'
  message: string
  /** The next step. */
  hint?: string
}

export const ok = (subject: string, message: string): Finding => ({ subject, level: 'ok', message })
export const warning = (subject: string, message: string, hint?: string): Finding => ({
  subject,
  level: 'warning',
  message,
  ...(hint && { hint }),
})
export const error = (subject: string, message: string, hint?: string): Finding => ({
  subject,
  level: 'error',
  message,
  ...(hint && { hint }),
})
