/** The Gateway API's Gateway (gateway.networking.k8s.io v1, v1beta1): listeners, and which routes each of them takes. */
import type { Diagnostics } from '../diagnostics.ts'
import type { ReadKind } from '../kind.ts'
import { selectorSchema, type LabelSelector } from '../kubernetes/label-selector.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import {
  anything,
  group,
  kind,
  list,
  wildcardHostname,
  object,
  port,
  sectionName,
  text,
  type Report,
} from './common.ts'

export interface Listener {
  name: string
  hostname?: string
  port: number
  protocol: string
  tls?: { mode?: 'Terminate' | 'Passthrough'; certificateRefs?: unknown[]; options?: Record<string, string> }
  allowedRoutes?: {
    namespaces?: { from?: 'All' | 'Selector' | 'Same' | 'None'; selector?: LabelSelector }
    kinds?: { group?: string; kind: string }[]
  }
}

export type Gateway = Resource<{ gatewayClassName: string; listeners: Listener[] }>

const namespaces = object({
  from: { type: 'string', enum: ['All', 'Selector', 'Same', 'None'] },
  selector: selectorSchema,
})
const spec: Schema = object(
  {
    gatewayClassName: { type: 'string', minLength: 1, maxLength: 253 },
    listeners: {
      ...list(
        object(
          {
            name: sectionName,
            hostname: wildcardHostname,
            port,
            protocol: { type: 'string', minLength: 1, maxLength: 255 },
            tls: object({
              mode: { type: 'string', enum: ['Terminate', 'Passthrough'] },
              certificateRefs: list(anything, 64),
              options: { type: 'object', additionalProperties: text },
              // Of versions before 1.4, where it was a part of the experimental channel.
              frontendValidation: anything,
            }),
            allowedRoutes: object({ namespaces, kinds: list(object({ group, kind }, ['kind']), 8) }),
          },
          ['name', 'port', 'protocol'],
        ),
        64,
      ),
    },
    addresses: list(anything, 16),
    infrastructure: anything,
    allowedListeners: object({ namespaces }),
    tls: anything,
    backendTLS: anything,
    defaultScope: { type: 'string', enum: ['All', 'None'] },
  },
  ['gatewayClassName', 'listeners'],
)

/** The kind. */
export const gateway: ReadKind = {
  use: 'read',
  versions: ['v1', 'v1beta1'],
  fields: { spec },
  required: ['spec'],
  check: checkGateway,
  about: 'gateways',
  unread: 'the filters do without it',
}

/** What the CRD says in CEL. */
function checkGateway(gateway: Gateway, diagnostics: Diagnostics): void {
  const report: Report = (code, path, message, hint) => gateway.report(diagnostics, 'error', code, path, message, hint)
  const { listeners } = gateway.spec
  if (listeners.length === 0) report('MS1105', ['spec', 'listeners'], 'at least one listener is needed')
  listeners.forEach((listener, index) => {
    const path = ['spec', 'listeners', index]
    const { name, protocol, tls, hostname, allowedRoutes = {} } = listener
    const earlier = listeners.slice(0, index)
    if (earlier.some((other) => other.name === name))
      report('MS1109', [...path, 'name'], `the listener ${name} is there twice`, 'rename one of them')
    else if (
      earlier.some((other) => (['port', 'protocol', 'hostname'] as const).every((key) => other[key] === listener[key]))
    )
      // prettier-ignore
      report('MS1109', path, 'another listener has the same port, protocol and hostname', 'let one of them take all')
    const isPlain = /^(HTTP|TCP|UDP)$/.test(protocol)
    if (tls && isPlain) report('MS1204', [...path, 'tls'], `${protocol} has no tls`, 'write protocol: HTTPS')
    if (tls?.mode === 'Passthrough' && protocol === 'HTTPS')
      report('MS1204', [...path, 'tls', 'mode'], 'HTTPS ends TLS', 'write mode: Terminate, or protocol: TLS')
    const { mode = 'Terminate', certificateRefs = [], options = {} } = tls ?? {}
    if (tls && !isPlain && mode === 'Terminate' && !certificateRefs.length && !Object.keys(options).length)
      report('MS1103', [...path, 'tls', 'certificateRefs'], 'a certificate is needed where TLS ends')
    if (hostname !== undefined && /^(TCP|UDP)$/.test(protocol))
      report('MS1204', [...path, 'hostname'], `${protocol} knows no host names`, 'remove it')
    const { from, selector } = allowedRoutes.namespaces ?? {}
    if (from === 'Selector' && !selector)
      report('MS1103', [...path, 'allowedRoutes', 'namespaces', 'selector'], 'from: Selector needs selector')
  })
}
