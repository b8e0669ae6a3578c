/** Failures of registries. Answers of HTTP have the status as their code, since scripts and people know these. */

import { UserError } from '../errors.ts'

/** The registry answered, but not with what was asked for. */
export class RegistryError extends UserError {
  override name = 'RegistryError'
  constructor(
    message: string,
    code: string,
    readonly status: number,
  ) {
    super(message, code)
  }
}

/** What a client can find in the answer: the errors of the registry's API, or some text. */
export function reasonIn(body: Uint8Array): string {
  const text = Buffer.from(body.subarray(0, 4096)).toString('utf8').trim()
  try {
    const { errors, details, error_description } = JSON.parse(text) as {
      errors?: { code?: string; message?: string; detail?: unknown }[]
      details?: string
      error_description?: string
    }
    const reasons = (errors ?? []).map(({ code, message }) => [code, message].filter(Boolean).join(': '))
    return reasons.join('; ') || details || error_description || ''
  } catch {
    // Pages for people are of no use here.
    return text.startsWith('<') ? '' : text.split('\n', 1)[0]!.slice(0, 200)
  }
}

const hints: Record<number, string> = {
  401: 'it does not accept these credentials; run "docker login" again',
  403: 'the account may not do this there',
  404: 'it is not there, or needs credentials to be seen',
  429: 'too many requests; try again later',
  507: 'its storage is full',
}

/** The error for an answer that is no success. `what` says what was tried, e.g. `pushing to oci://…`. */
export function answerError(what: string, status: number, body: Uint8Array): RegistryError {
  const reason = reasonIn(body)
  const full = status === 507 || (status >= 500 && /no space left|ENOSPC|disk (?:is )?full|quota/i.test(reason))
  const known = full ? 507 : status >= 500 ? 500 : status
  const code = [401, 403, 404, 429, 500, 507].includes(known) ? `OCI${known}` : 'OCI400'
  const hint = hints[known]
  return new RegistryError(
    `${what}: the registry answered ${status}${reason && ` (${reason})`}${hint ? `; ${hint}` : ''}`,
    code,
    status,
  )
}
