/** Kubernetes' own kinds: what they say of pods and services tells which callers a selector means. */
import type { Family, Fields, ReadKind } from '../kind.ts'

/** The API server has checked what is below these; only some of it is read, by `inventory.ts`. */
const anySpec: Fields = { spec: { type: 'object', additionalProperties: {} } }

const withSpec = (versions: readonly string[]): ReadKind => ({ use: 'read', versions, fields: anySpec })

export const kubernetes: Family = {
  groups: {
    '': {
      Pod: withSpec(['v1']),
      Service: withSpec(['v1']),
      Namespace: { ...withSpec(['v1']), clusterScoped: true },
      Secret: {
        use: 'read',
        versions: ['v1'],
        fields: {
          data: { type: 'object', additionalProperties: { type: 'string' } },
          stringData: { type: 'object', additionalProperties: { type: 'string' } },
          type: { type: 'string' },
          immutable: { type: 'boolean' },
        },
      },
    },
    apps: {
      Deployment: withSpec(['v1']),
      StatefulSet: withSpec(['v1']),
      DaemonSet: withSpec(['v1']),
      ReplicaSet: withSpec(['v1']),
    },
    batch: { CronJob: withSpec(['v1', 'v1beta1']) },
  },
}
