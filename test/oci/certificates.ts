/** What a registry with TLS and a password needs. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** For user ann, bcrypt of "secret". */
export const HTPASSWD = 'ann:$2y$05$KaQnktoWX4S4GGGhvHPTG.ezGj.q/BkCAFkbVZLRxazz00Qlw3Smy\n'

/** An authority (ca.pem), and a certificate of it for 127.0.0.1 and registry.test (server.pem, server.key), in the folder. */
export function certificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem')
  openssl('req', ...key, '-subj', '/CN=registry', '-keyout', 'server.key', '-out', 'server.csr')
  writeFileSync(join(folder, 'extensions'), 'subjectAltName=IP:127.0.0.1,DNS:registry.test')
  const ca = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'extensions']
  openssl('x509', '-req', '-in', 'server.csr', ...ca, '-out', 'server.pem')
}
