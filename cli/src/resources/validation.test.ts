/** Istio's own valid and invalid documents. They are another project's: read where they are, and no part of a published copy. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Diagnostics } from './diagnostics.ts'
import { parseResources } from './parse.ts'
import { Source } from './source.ts'

const folder = new URL('../../../../shared/cases/validation/', import.meta.url)

/** What each invalid document is refused for, in the order of its file; several have the same name. */
const refused: Record<string, [name: string, error: string][]> = {
  authz: [
    ['service-account-and-namespace', 'MS1204 spec.rules[0].from[0].source.serviceAccounts'],
    ['service-account-and-namespace-principal', 'MS1204 spec.rules[0].from[0].source.serviceAccounts'],
  ],
  peerauth: [
    ['bad-mode', 'MS1104 spec.mtls.mode'],
    ['bad-port', 'MS1106 spec.portLevelMtls.acd'],
    ['port-level-global', 'MS1204 spec.portLevelMtls'],
    ['empty-port-level', 'MS1105 spec.portLevelMtls'],
    ['zero-port', 'MS1106 spec.portLevelMtls.0'],
    ['high-port', 'MS1106 spec.portLevelMtls.42949672'],
  ],
  telemetry: [
    ['bad-provider', 'MS1106 spec.metrics[0].providers[0].name'],
    ['bad-custom-metric', 'MS1106 spec.metrics[0].overrides[0].match.customMetric'],
    ['bad-tag-upsert', 'MS1103 spec.metrics[0].overrides[0].tagOverrides.foo.value'],
    ['bad-tag-remove', 'MS1204 spec.metrics[0].overrides[0].tagOverrides.foo.value'],
  ],
  wasm: [
    ['unset-port', 'MS1103 spec.match[0].ports[0].number'],
    ['unset-url', 'MS1106 spec.url'],
    ['invalid-url', 'MS1106 spec.url'],
    ['invalid-url-schema', 'MS1106 spec.url'],
    ['invalid-sha256', 'MS1106 spec.sha256'],
    ['invalid-imagePullSecret', 'MS1106 spec.imagePullSecret'],
    ['invalid-pluginName', 'MS1106 spec.pluginName'],
    ['duplicate-env', 'MS1109 spec.vmConfig.env[1].name'],
    ['invalid-env-name', 'MS1106 spec.vmConfig.env[0].name'],
    ['invalid-env-name', 'MS1204 spec.vmConfig.env[0].value'],
    ['invalid-env-name', 'MS1204 spec.vmConfig.env[0].value'],
    ['nil', 'MS1103 spec'],
    ['nested-nil', 'MS1103 spec.url'],
    ['invalid-selector', 'MS1106 spec.selector.matchLabels.istio'],
    ['invalid-selector', 'MS1106 spec.selector.matchLabels["istio*"]'],
  ],
}

function documentsOf(file: string): string[] {
  const text = readFileSync(new URL(file, folder), 'utf8')
  // `_err` is Istio's own message, and no field. Names are not all what Kubernetes takes: Istio's test does not look at them.
  const documents = text.replaceAll(/^_err:.*\n/gm, '').split(/^---/m)
  return documents.filter((document) => document.trim() !== '')
}

function check(document: string) {
  const diagnostics = new Diagnostics()
  const name = /^ {2}name: (.*)$/m.exec(document)![1]!
  const text = document.replace(`  name: ${name}`, `  name: ${name.toLowerCase()}`)
  const resources = parseResources([new Source('document.yaml', text)], diagnostics, { namespace: 'foo' })
  return { name, resources, errors: diagnostics.toJSON().filter(({ severity }) => severity === 'error') }
}

describe.runIf(existsSync(folder)).each(Object.keys(refused))('%s', (kind) => {
  const valid = existsSync(folder) ? documentsOf(`${kind}-valid.yaml`).map(check) : []
  const invalid = existsSync(folder) ? documentsOf(`${kind}-invalid.yaml`).map(check) : []

  test('every valid document is accepted', () => {
    expect(valid.length).toBeGreaterThan(0)
    expect(valid.filter(({ resources, errors }) => resources.length !== 1 || errors.length > 0)).toEqual([])
  })

  test('every invalid document is refused for the same field', () => {
    // Some lack more than what they are there for, e.g. the URL.
    const found = invalid.map(({ name, errors }, index) => {
      const told = errors.map(({ code, field }) => `${code} ${field}`)
      return [name, told.find((each) => each === refused[kind]![index]?.[1]) ?? told.join(', ')]
    })
    expect(found).toEqual(refused[kind])
  })
})
