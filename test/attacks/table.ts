/** The page about the attacks, as Markdown. */

import type { Judged } from './run.ts'

const OUTCOMES = {
  refused: 'refused',
  answered: 'Envoy answers',
  passes: '**passes, as in Istio**',
}

const code = (text: string) => `\`${text.replaceAll('|', String.raw`\|`)}\``

export function page(judged: readonly Judged[], frames: readonly string[]): string {
  const rows = judged.map(({ attack: { group, name, policy, normalization, why }, native, details }) => {
    const rule = normalization ? `${code(policy)}, ${normalization}` : code(policy)
    const note = why ?? (native === 'answered' ? code(details ?? '') : '')
    return `| ${group} | ${code(name)} | ${rule} | ${OUTCOMES[native]} | ${note} |`
  })
  const count = (outcome: keyof typeof OUTCOMES) => judged.filter(({ native }) => native === outcome).length
  return `# Attacks

Known ways around authorization, each a request on the wire to a real Envoy, where Envoy's native RBAC filter (with the policy as istiod
translates it) and our filter (with the policy as we compile it) judge the same request. \`attacks.envoy.test.ts\` sends them and writes this
table: our filter must decide as the native one does, so none of them gets by it. Where the Node host can send the request, it must not
let it pass either.

Path normalization is BASE, Istio's default, unless the table names another. Of ${judged.length} attacks the policy refuses ${count('refused')};
Envoy's connection manager answers ${count('answered')} before any filter; ${count('passes')} pass because Istio means the policy so, and
the note says what to do about it.

| | request | policy | outcome | note |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

As HTTP/2 frames, which Envoy's codec refuses with a reset or 400: ${frames
    .filter((name) => name !== 'good')
    .map(code)
    .join(', ')}.
`
}
