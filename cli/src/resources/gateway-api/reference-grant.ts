/** ReferenceGrant (gateway.networking.k8s.io v1, v1beta1): who may refer to objects of its namespace. */
import type { ReadKind } from '../kind.ts'
import type { Resource } from '../resource.ts'
import { group, kind, list, namespace, object, objectName } from './common.ts'

export type ReferenceGrant = Resource<{
  from: { group: string; kind: string; namespace: string }[]
  to: { group: string; kind: string; name?: string }[]
}>

const spec = object(
  {
    from: list(object({ group, kind, namespace }, ['group', 'kind', 'namespace']), 16),
    to: list(object({ group, kind, name: objectName }, ['group', 'kind']), 16),
  },
  ['from', 'to'],
)

/** The kind. */
export const referenceGrant: ReadKind = {
  use: 'read',
  versions: ['v1', 'v1beta1'],
  fields: { spec },
  required: ['spec'],
  about: 'gateways',
  unread: 'the filters do without it',
}
