/** The bill of materials of a module, as SPDX 2.3 JSON. */

import { type Component, type Origin } from './types.ts'

export const SPDX_MEDIA_TYPE = 'application/spdx+json'

const NONE = 'NOASSERTION'

export interface SpdxOptions {
  origin: Origin
  /** When the document was made, ISO 8601. The same module and time make the same document. */
  created: string
}

interface SpdxPackage {
  SPDXID: string
  name: string
  [field: string]: unknown
}

/** Which packages are in a module, in which versions and under which licences. */
export function spdx({ origin, created }: SpdxOptions): Record<string, unknown> {
  const { filter, packages, producers, file, sha256, files } = origin
  const main: SpdxPackage = {
    ...describe(filter, 'SPDXRef-Filter'),
    packageFileName: file,
    checksums: [{ algorithm: 'SHA256', checksumValue: sha256 }],
    primaryPackagePurpose: 'APPLICATION',
  }
  const inside = packages.map((each) => describe(each, packageId(each)))
  const compiler = producers['language']?.['AssemblyScript']
  // Its standard library is compiled in, as the packages are.
  if (compiler !== undefined) {
    const component = { name: 'assemblyscript', version: compiler, license: 'Apache-2.0' }
    inside.push(describe(component, packageId(component)))
  }
  const builder = producers['processed-by']?.['meshscript']
  const tools = builder === undefined ? [] : [describe({ name: 'meshscript', version: builder }, 'SPDXRef-Tool')]
  const relation = (from: string, relationshipType: string, to: string) => ({
    spdxElementId: from,
    relationshipType,
    relatedSpdxElement: to,
  })
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: filter.version === undefined ? filter.name : `${filter.name} ${filter.version}`,
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(filter.name)}-${sha256}`,
    creationInfo: {
      // SPDX knows seconds only.
      created: `${new Date(created).toISOString().slice(0, 19)}Z`,
      creators: [builder === undefined ? 'Tool: meshscript' : `Tool: meshscript-${builder}`],
    },
    packages: [main, ...inside, ...tools],
    ...(files.length && {
      files: files.map((each, index) => ({
        SPDXID: `SPDXRef-File-${index + 1}`,
        fileName: `./${each.path}`,
        fileTypes: ['SOURCE'],
        checksums: [
          { algorithm: 'SHA1', checksumValue: each.sha1 },
          { algorithm: 'SHA256', checksumValue: each.sha256 },
        ],
        licenseConcluded: NONE,
        copyrightText: NONE,
      })),
    }),
    relationships: [
      relation('SPDXRef-DOCUMENT', 'DESCRIBES', main.SPDXID),
      ...inside.map(({ SPDXID }) => relation(main.SPDXID, 'STATIC_LINK', SPDXID)),
      ...tools.map(({ SPDXID }) => relation(SPDXID, 'BUILD_TOOL_OF', main.SPDXID)),
      ...files.map((_, index) => relation(main.SPDXID, 'GENERATED_FROM', `SPDXRef-File-${index + 1}`)),
    ],
  }
}

/** A package's URL, by which scanners find it. */
export function packageUrl({ name, version }: Component): string {
  const path = name.split('/').map(encodeURIComponent).join('/')
  return `pkg:npm/${path}${version === undefined ? '' : `@${encodeURIComponent(version)}`}`
}

function describe(component: Component, SPDXID: string): SpdxPackage {
  const { name, version, license, repository } = component
  return {
    SPDXID,
    name,
    ...(version !== undefined && { versionInfo: version }),
    downloadLocation: repository === undefined ? NONE : `git+${repository}`,
    filesAnalyzed: false,
    licenseConcluded: NONE,
    licenseDeclared: license !== undefined && isExpression(license) ? license : NONE,
    copyrightText: NONE,
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: packageUrl(component) },
    ],
  }
}

/** Whether package.json names a licence as SPDX does; `UNLICENSED` and `SEE LICENSE IN …` mean other things. */
function isExpression(license: string): boolean {
  if (license === 'UNLICENSED') return false
  const words = license.replace(/[()]/g, ' ').trim().split(/\s+/)
  return words.every((word, index) =>
    index % 2 ? /^(AND|OR|WITH)$/.test(word) : /^[A-Za-z0-9][A-Za-z0-9.-]*\+?$/.test(word),
  )
}

/** Two versions of a package may be in one module. SPDX ids have letters, digits, dots and dashes. */
function packageId({ name, version }: Component): string {
  const text = version === undefined ? name : `${name}-${version}`
  return `SPDXRef-Package-${text.replace(/^@/, '').replace(/[^A-Za-z0-9.-]/g, '-')}`
}
