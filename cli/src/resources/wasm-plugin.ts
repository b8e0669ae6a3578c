/** Istio's WasmPlugin (extensions.istio.io): a filter for proxies to load. */
import type { Diagnostics } from './diagnostics.ts'
import type { Resource } from './resource.ts'
import type { Schema } from './schema.ts'
import { checkNoDryRun, checkTargets, targetFields, type Targets } from './targets.ts'

export interface WasmPluginSpec extends Targets {
  url: string
  vmConfig?: { env?: { name: string; value?: string; valueFrom?: 'INLINE' | 'HOST' }[] }
}

const text: Schema = { type: 'string', minLength: 1 }

/** Without a scheme it is an image; a host and port look like a scheme, so only `://` tells. */
const isUrl = (url: string) =>
  /^(?:(?:https?|oci|file):\/\/)?(?:[\w.~:/@[\]-]|%[0-9a-f]{2})(?:[^\s#%]|%[0-9a-f]{2})*$/i.test(url) &&
  /^(?:https?|oci|file):|^(?!.*:\/\/)/i.test(url)

export const wasmPluginSchema: Schema = {
  type: 'object',
  required: ['url'],
  properties: {
    ...targetFields,
    url: {
      ...text,
      pattern: {
        test: { test: isUrl },
        expected: 'the address of a module',
        hint: 'begin it with oci://, https://, http:// or file://',
      },
    },
    sha256: {
      type: 'string',
      pattern: { test: /^([a-f0-9]{64})?$/, expected: 'a SHA-256 digest: 64 digits and letters from a to f' },
    },
    imagePullPolicy: { type: 'string', enum: ['IfNotPresent', 'Always', 'UNSPECIFIED_POLICY'] },
    imagePullSecret: { ...text, maxLength: 253 },
    verificationKey: { type: 'string' },
    // Whatever the module takes.
    pluginConfig: {},
    pluginName: { ...text, maxLength: 256 },
    phase: { type: 'string', enum: ['AUTHN', 'AUTHZ', 'STATS', 'UNSPECIFIED_PHASE'] },
    priority: { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
    failStrategy: { type: 'string', enum: ['FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'] },
    type: { type: 'string', enum: ['HTTP', 'NETWORK', 'UNSPECIFIED_PLUGIN_TYPE'] },
    vmConfig: {
      type: 'object',
      properties: {
        env: {
          type: 'array',
          maxItems: 256,
          uniqueBy: 'name',
          items: {
            type: 'object',
            required: ['name'],
            properties: {
              name: { ...text, maxLength: 256 },
              value: { type: 'string', maxLength: 2048 },
              valueFrom: { type: 'string', enum: ['INLINE', 'HOST'] },
            },
          },
        },
      },
    },
    match: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          mode: { type: 'string', enum: ['CLIENT', 'SERVER', 'CLIENT_AND_SERVER', 'UNDEFINED'] },
          ports: {
            type: 'array',
            uniqueBy: 'number',
            items: {
              type: 'object',
              required: ['number'],
              properties: { number: { type: 'integer', minimum: 1, maximum: 65535 } },
            },
          },
        },
      },
    },
  },
}

export function checkWasmPlugin(plugin: Resource<WasmPluginSpec>, diagnostics: Diagnostics) {
  checkTargets(plugin, diagnostics)
  checkNoDryRun(plugin, diagnostics)
  plugin.spec.vmConfig?.env?.forEach(({ value, valueFrom }, index) => {
    if (valueFrom !== 'HOST' || value === undefined) return
    const path = ['spec', 'vmConfig', 'env', index, 'value']
    const message = "a variable of the host's has no value here"
    plugin.report(diagnostics, 'error', 'MS1204', path, message, 'remove value, or write valueFrom: INLINE')
  })
}
