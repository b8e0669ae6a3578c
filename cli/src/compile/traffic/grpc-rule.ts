/** A rule of a GRPCRoute, as the routing filter takes it: gRPC's path is `/SERVICE/METHOD`. */
import type { GrpcRouteMatch, GrpcRouteRule } from '../../resources/gateway-api/grpc-route.ts'
import type { RuleContext } from './backends.ts'
import { headersMatch, settingsOf } from './http-rule.ts'
import type { MatchConfig } from './model.ts'
import type { RankedRoute } from './rank.ts'

export function grpcRule(rule: GrpcRouteRule, context: RuleContext, index: number): RankedRoute[] {
  const { route } = context
  const { matches = [], ...others } = rule
  const settings = settingsOf(others, context)
  const name = `${route.metadata.namespace}/${route.metadata.name}.${rule.name ?? index}`
  return (matches.length ? matches : [{}]).map((match) => {
    const config: MatchConfig = { ...pathMatch(match), ...headersMatch(match.headers) }
    const isAll = Object.keys(config).length === 0
    return {
      rank: { specific: specificity(match), route, index },
      config: { name, ...(!isAll && { match: [config] }), ...settings },
    }
  })
}

const specificity = ({ method: { service = '', method = '' } = {}, headers = [] }: GrpcRouteMatch): number[] => [
  service.length,
  method.length,
  headers.length,
]

function pathMatch({ method: wanted }: GrpcRouteMatch): Pick<MatchConfig, 'path'> {
  const { type = 'Exact', service, method } = wanted ?? {}
  if (!service && !method) return {}
  if (type === 'RegularExpression') {
    const part = (regex: string | undefined) => (regex ? `(?:${regex})` : '[^/]+')
    return { path: { regex: `/${part(service)}/${part(method)}` } }
  }
  if (!method) return { path: { prefix: `/${service}/` } }
  return { path: service ? { exact: `/${service}/${method}` } : { suffix: `/${method}` } }
}
