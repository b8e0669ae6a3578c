/** Certificates of clients, made as the harness of real Envoy makes them. Only hosts with TLS load this. */
import { X509Certificate } from 'node:crypto'
import { issueCertificate } from '../envoy/certificates.ts'

interface ClientCertificate {
  pem: string
  digest: string
}

/** Reading one takes longer than a request does. */
const read = new Map<string, Promise<ClientCertificate>>()

export function clientCertificate(identities: readonly string[]): Promise<ClientCertificate> {
  const id = identities.join('\n')
  let certificate = read.get(id)
  if (!certificate) read.set(id, (certificate = makeCertificate(identities)))
  return certificate
}

async function makeCertificate(identities: readonly string[]): Promise<ClientCertificate> {
  const { certificate } = await issueCertificate(...identities)
  const digest = new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()
  return { pem: certificate.endsWith('\n') ? certificate : `${certificate}\n`, digest }
}
