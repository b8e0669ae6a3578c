/** Which certificates are trusted beside Node's own. */

import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { UserError } from '../errors.ts'
import { dockerFolder } from './credentials.ts'

/** Undefined where Node's own do. `file` is what the user named by --ca. */
export function trustedCertificates(
  registry: string,
  file: string | undefined,
  env: Record<string, string | undefined>,
): string[] | undefined {
  const files = [file, env['SSL_CERT_FILE'], env['NODE_EXTRA_CA_CERTS']].filter(
    (each) => each !== undefined && each !== '',
  )
  // As Docker: a folder for each registry.
  for (const folder of ['/etc/docker/certs.d', join(dockerFolder(env), 'certs.d')])
    files.push(...certificatesIn(join(folder, registry)))
  if (!files.length) return undefined
  return [...rootCertificates, ...files.map((each) => read(each!))]
}

function certificatesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.crt'))
    .sort()
    .map((name) => join(folder, name))
}

function read(file: string): string {
  try {
    const text = readFileSync(file, 'utf8')
    // OpenSSL would leave out what is no certificate, without a word.
    new X509Certificate(text)
    return text
  } catch (error) {
    throw new UserError(`${file} has no certificate (PEM): ${(error as Error).message}`, 'OCI003')
  }
}
