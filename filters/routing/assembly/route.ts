import { Bytes, JsonValue } from '@meshscript/sdk'
import { CurrentRequest } from '../../common/assembly/request/request'
import { RouteReader } from '../../common/assembly/routes/route_table'
import { Cors } from './cors'
import { DirectResponse } from './direct_response'
import { HeaderOperations } from './header_operations'
import { Mirror } from './mirror'
import { Redirect } from './redirect'
import { Resilience } from './resilience'
import { Rewrite } from './rewrite'
import { Split } from './split'

/** What becomes of requests that match: one of `split`, `redirect` and `direct` is there. */
@final
export class Route {
  split: Split | null = null
  redirect: Redirect | null = null
  direct: DirectResponse | null = null
  rewrite: Rewrite | null = null
  request: HeaderOperations | null = null
  response: HeaderOperations | null = null
  resilience: Resilience | null = null
  cors: Cors | null = null
  mirrors: Mirror[] | null = null
  /** Selects a route of Envoy's that has what no header can say. */
  native: Bytes | null = null
}

@final
export class RoutingReader extends RouteReader<Route> {
  constructor(private request: CurrentRequest) {
    super()
  }

  read(json: JsonValue): Route {
    const route = new Route()
    json.get('name').byteString('')
    const destinations = json.get('destinations')
    const redirect = json.get('redirect')
    const direct = json.get('directResponse')
    const sticky = json.get('sticky')
    if (i32(destinations.exists) + i32(redirect.exists) + i32(direct.exists) != 1) {
      json.fail('expected one of "destinations", "redirect" and "directResponse"')
    } else if (redirect.exists) route.redirect = new Redirect(redirect)
    else if (direct.exists) route.direct = new DirectResponse(direct)
    else route.split = new Split(destinations, sticky)
    if (sticky.exists && !destinations.exists) sticky.fail('expected "destinations" beside it')

    const rewrite = json.get('rewrite')
    if (rewrite.exists) route.rewrite = new Rewrite(rewrite)
    const headers = json.get('headers')
    if (headers.exists) {
      route.request = HeaderOperations.read(headers.get('request'))
      route.response = HeaderOperations.read(headers.get('response'))
    }
    route.resilience = Resilience.read(json.get('timeout'), json.get('retries'))
    const cors = json.get('cors')
    if (cors.exists) route.cors = new Cors(cors, this.request)
    route.mirrors = Mirror.readList(json.get('mirrors'))
    const native = json.get('native')
    if (native.exists) route.native = native.bytes()
    return route
  }
}
