/** How a module was made, as an in-toto statement with SLSA's provenance. */

import { packageUrl } from './sbom.ts'
import { type Origin, type Source } from './types.ts'

export const IN_TOTO_MEDIA_TYPE = 'application/vnd.in-toto+json'
export const PROVENANCE_TYPE = 'https://slsa.dev/provenance/v1'

/** What `externalParameters` means here: docs/supply-chain.md. */
const BUILD_TYPE = 'pkg:npm/meshscript#build/v1'

export interface ProvenanceOptions {
  origin: Origin
  /** The image: its name, `HOST/REPOSITORY`, and the digest of its manifest. */
  image: { name: string; digest: string }
  env: Record<string, string | undefined>
}

/** Has no times and nothing random: the same build makes the same statement. */
export function provenance({ origin, image, env }: ProvenanceOptions): Record<string, unknown> {
  const { source, producers, names } = origin
  const [algorithm = '', hex = ''] = image.digest.split(':')
  const { id, invocation } = builder(env, producers['processed-by']?.['meshscript'])
  const asc = producers['language']?.['AssemblyScript']
  const tools = asc === undefined ? [] : [{ name: 'assemblyscript', version: asc }]
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      { name: image.name, digest: { [algorithm]: hex } },
      { name: origin.file, digest: { sha256: origin.sha256 } },
    ],
    predicateType: PROVENANCE_TYPE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          ...(source && {
            source: {
              ...(source.repository !== undefined && { repository: source.repository }),
              commit: source.commit,
              path: source.path,
              // The commit alone does not make this module.
              ...(source.modified && { modified: true }),
            },
          }),
          package: packageUrl(origin.filter),
          options: { debug: names === 'all', strip: names === 'none' },
        },
        resolvedDependencies: [
          ...(source ? [gitDependency(source)] : []),
          ...origin.files.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
          ...[...origin.packages, ...tools].map((each) => ({ uri: packageUrl(each) })),
        ],
      },
      runDetails: {
        builder: { id, version: producers['processed-by'] ?? {} },
        ...(invocation !== undefined && { metadata: { invocationId: invocation } }),
      },
    },
  }
}

function gitDependency({ repository, commit }: Source): object {
  const digest = { gitCommit: commit }
  return repository === undefined ? { name: 'git', digest } : { uri: `git+${repository}@${commit}`, digest }
}

/** Who built it: the workflow where it runs in CI, or else this command on somebody's machine. */
function builder(
  env: ProvenanceOptions['env'],
  version: string | undefined,
): { id: string; invocation: string | undefined } {
  if (env['GITHUB_ACTIONS'] === 'true' && env['GITHUB_SERVER_URL'] && env['GITHUB_WORKFLOW_REF']) {
    const server = env['GITHUB_SERVER_URL']
    const run = `${server}/${env['GITHUB_REPOSITORY']}/actions/runs/${env['GITHUB_RUN_ID']}`
    return {
      id: `${server}/${env['GITHUB_WORKFLOW_REF']}`,
      invocation: `${run}/attempts/${env['GITHUB_RUN_ATTEMPT'] ?? 1}`,
    }
  }
  if (env['GITLAB_CI'] === 'true' && env['CI_PROJECT_URL']) {
    return { id: `${env['CI_PROJECT_URL']}/-/runners/${env['CI_RUNNER_ID']}`, invocation: env['CI_JOB_URL'] }
  }
  return { id: packageUrl({ name: 'meshscript', version }), invocation: undefined }
}
