/** Certificates of clients, made as the harness of real Envoy makes them. Only hosts with TLS load this. */
import { X509Certificate } from 'node:crypto'
import { issueCertificate } from '../envoy/certificates.ts'

export async function clientCertificate(identities: readonly string[]): Promise<{ pem: string; digest: string }> {
  const { certificate } = await issueCertificate(...identities)
  const digest = new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
  return { pem: certificate.endsWith('\n') ? certificate : `${certificate}\n`, digest }
}
