import { expect, test } from 'vitest'
import { kubectlError } from './kubectl.ts'

const log = 'E1123 12:09:29.472558   14256 memcache.go:265] "Unhandled Error" err="connection refused"\n'
const refused = 'The connection to the server localhost:8080 was refused - did you specify the right host or port?'

test.each([
  ['without the log of its client', `${log}${log}${refused}\n`, `kubectl: ${refused}`],
  ['the log, where there is nothing else', log, `kubectl: ${log.trim()}`],
  ['nothing at all', '', 'kubectl: exit code 1'],
])('tells what kubectl said: %s', (_, stderr, message) => {
  expect(kubectlError({ code: 1, stdout: '', stderr })).toMatchObject({ message, code: 'DEP031' })
})

const rest = '; take them over by --apply --force-conflicts, or deploy under another --name'

test.each([
  ['one field', '1 conflict: conflict with "helm" using v1: .spec.url', 'helm owns .spec.url of this resource'],
  [
    'several managers',
    '3 conflicts: conflicts with "helm" using v1:\n- .spec.url\n- .spec.phase\nconflicts with "argo" using v1:\n- .spec.url',
    'helm, argo owns .spec.url, .spec.phase of this resource',
  ],
])('names the field managers of a conflict: %s', (_, said, message) => {
  const stderr = `error: Apply failed with ${said}\nPlease review the fields above--they currently have other managers.\n`
  expect(kubectlError({ code: 1, stdout: '', stderr })).toMatchObject({ message: message + rest, code: 'DEP033' })
})
