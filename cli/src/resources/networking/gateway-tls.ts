/** What Istio's validation says of the TLS of a Gateway's server. */
import type { Path } from '../nodes.ts'
import type { Report, Server, ServerTls } from './gateway.ts'

export function checkServerTls({ tls, port }: Server, isPlainHttp: boolean, path: Path, report: Report): void {
  const isTls = /^(HTTPS|TLS)$/i.test(port.protocol)
  const at = [...path, 'tls']
  if (!tls) {
    if (isTls) report('MS1103', at, `${port.protocol} needs tls`, 'write e.g. tls: {mode: SIMPLE, credentialName: …}')
    return
  }
  if (!isTls) {
    const { mode = 'PASSTHROUGH', caCertificates, privateKey, serverCertificate } = tls
    const isRedirect = /PASSTHROUGH$/.test(mode) && !caCertificates && !privateKey && !serverCertificate
    if (!isPlainHttp) report('MS1204', at, `${port.protocol} has no tls`, 'write protocol: TLS, or remove it')
    else if (!isRedirect)
      report('MS1204', at, `a server of ${port.protocol} has no tls but httpsRedirect`, 'write protocol: HTTPS')
  }
  checkCertificates(tls, at, report)
}

const certificateFields = [
  'serverCertificate',
  'privateKey',
  'caCertificates',
  'tlsCertificates',
  'credentialName',
  'credentialNames',
] as const

function checkCertificates(tls: ServerTls, path: Path, report: Report): void {
  const { mode = 'PASSTHROUGH', serverCertificate, privateKey, caCertificates, caCrl } = tls
  const { credentialName, credentialNames = [], tlsCertificates = [] } = tls
  if (mode === 'ISTIO_MUTUAL') {
    for (const field of certificateFields.filter((each) => tls[each]?.length))
      report('MS1204', [...path, field], `ISTIO_MUTUAL has the mesh's certificates, and no ${field}`, 'remove it')
    return
  }
  const sources = [serverCertificate && privateKey, credentialName, credentialNames.length, tlsCertificates.length]
  if (sources.filter(Boolean).length > 1)
    report('MS1204', path, 'the certificate is said in more than one way', 'keep one of them')
  if (/PASSTHROUGH$/.test(mode)) return
  if (!credentialName && !credentialNames.length) {
    if (mode !== 'SIMPLE' && !caCertificates)
      report('MS1103', [...path, 'caCertificates'], `${mode} needs the CA of clients`, 'or write credentialName')
    const certificates = tlsCertificates.length ? tlsCertificates : [tls]
    if (certificates.some((each) => !each.serverCertificate || !each.privateKey))
      report('MS1103', path, `${mode} needs serverCertificate and privateKey`, 'or write credentialName')
  }
  if (caCrl && (credentialName || mode === 'SIMPLE')) {
    const message = mode === 'SIMPLE' ? 'SIMPLE asks clients for no certificate' : 'the credential has its own list'
    report('MS1204', [...path, 'caCrl'], message, 'remove it')
  }
}
