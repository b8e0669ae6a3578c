/**
 * Certificates made on the spot, as a mesh's own authority would issue them: EC P-256, identities as URI SANs.
 * One authority per process, each certificate made once.
 */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

/** PEM. */
export interface Certificate {
  certificate: string
  key: string
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY = 24 * 60 * 60 * 1000

interface Authority {
  certificate: x509.X509Certificate
  keys: CryptoKeyPair
}

let authority: Promise<Authority> | undefined
const issued = new Map<string, Promise<Certificate>>()
let serial = 1

/** The certificate of the authority that signed all others, as PEM. */
export async function authorityCertificate(): Promise<string> {
  return (await getAuthority()).certificate.toString('pem')
}

/**
 * A certificate for `identities`, good for both ends of a connection. Each one with `://` becomes a URI SAN, any other
 * a DNS SAN, in this order.
 */
export function issueCertificate(...identities: readonly string[]): Promise<Certificate> {
  const id = identities.join('\n')
  let certificate = issued.get(id)
  if (!certificate) issued.set(id, (certificate = issue(identities)))
  return certificate
}

function getAuthority(): Promise<Authority> {
  return (authority ??= (async () => {
    const keys = await generateKeys()
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity(),
      name: 'O=meshscript',
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    })
    return { certificate, keys }
  })())
}

async function issue(identities: readonly string[]): Promise<Certificate> {
  const { certificate: issuer, keys: issuerKeys } = await getAuthority()
  const keys = await generateKeys()
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
    new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
  ]
  // Like Istio's: no subject, so the SAN has to be critical (RFC 5280, 4.1.2.6).
  if (identities.length > 0) extensions.push(new x509.SubjectAlternativeNameExtension(identities.map(toName), true))
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    subject: '',
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: issuerKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions,
  })
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) }
}

const toName = (value: string): x509.JsonGeneralName => ({ type: value.includes('://') ? 'url' : 'dns', value })

const generateKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])

async function exportKey(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), x509.PemConverter.PrivateKeyTag)
}

/** From yesterday, for clocks that differ, for a month: long enough for any demo that stays up. */
function validity() {
  const now = Date.now()
  const serialNumber = (serial++).toString(16).padStart(8, '0')
  return { serialNumber, notBefore: new Date(now - DAY), notAfter: new Date(now + 30 * DAY) }
}
