import {
  Action,
  Bytes,
  ByteString,
  Configuration,
  Headers,
  HttpContext,
  JsonValue,
  Pairs,
  RootContext,
  utf8,
} from '@meshscript/sdk'
import { CurrentRequest, currentRequest } from '../../common/assembly/request/request'
import { RouteTable } from '../../common/assembly/routes/route_table'
import { Cors } from './cors'
import { Destination } from './destination'
import { Copy } from './mirror'
import { Route, RoutingReader } from './route'

/** A configuration, read. */
@final
export class Routing {
  readonly request: CurrentRequest = currentRequest()
  readonly routes: RouteTable<Route> = new RouteTable<Route>()
  clusterHeader: Bytes
  nativeHeader: Bytes
  passesUnknownHosts: bool

  constructor(json: JsonValue) {
    json.get('$schema').string('')
    const version = json.get('version')
    if (version.integer() != 1) version.fail('expected 1, the version of this format')
    this.clusterHeader = headerName(json.get('clusterHeader'), utf8('x-meshscript-cluster'))
    this.nativeHeader = headerName(json.get('nativeHeader'), utf8('x-meshscript-native'))
    this.passesUnknownHosts = json.get('unknownHost').oneOf(['notFound', 'pass'], 0) == 1
    this.routes.read(json.get('virtualHosts'), new RoutingReader(this.request))
  }
}

function headerName(json: JsonValue, fallback: ByteString): Bytes {
  const name = json.bytes(fallback)
  const text = name.view
  if (!text.length || !text.toLowerCase().equals(text) || text.startsWith(':')) {
    json.fail('expected the name of a header, in lower case')
  }
  return name
}

export class RoutingRoot extends RootContext {
  /** Null until a configuration was accepted; then requests get a 404. */
  routing: Routing | null = null

  onConfigure(configuration: Configuration): bool {
    return this.configure(configuration.json())
  }

  /** Reads a configuration: a document, or a part of one. */
  configure(json: JsonValue): bool {
    const routing = new Routing(json)
    if (!json.refuseUnknown()) return false
    this.routing = routing
    return true
  }
}

/** Chooses the cluster of a request, and what it becomes on the way. */
export class RoutingContext extends HttpContext<RoutingRoot> {
  /** What is still to be done to the response; null for nothing. */
  private route: Route | null = null
  private destination: Destination | null = null
  private cors: Cors | null = null
  /** Of the page that may read the response. */
  private origin: Bytes | null = null
  /** What is to be sent to mirrors once the body has come. */
  private copy: Copy | null = null

  onRequestHeaders(endOfStream: bool): Action {
    const routing = changetype<RoutingRoot>(this.rootContext).routing
    if (!routing) return this.notFound()
    const request = routing.request
    request.begin(this.requestHeaders)
    const route = routing.routes.find()
    if (!route) {
      if (routing.routes.hasHost || !routing.passesUnknownHosts) return this.notFound()
      this.removeOwn(request.headers, routing.clusterHeader)
      this.removeOwn(request.headers, routing.nativeHeader)
      return Action.Continue
    }
    const split = route.split
    if (!split) return this.answer(routing, route)
    const cors = route.cors
    if (cors && this.answersCors(cors, request.headers)) return Action.Pause
    this.forward(routing, route, split.choose(request), endOfStream)
    return Action.Continue
  }

  /** Makes the request what the upstream gets, in Envoy's order: headers of the destination, of the route, authority, path. */
  private forward(routing: Routing, route: Route, destination: Destination, endOfStream: bool): void {
    const headers = this.requestHeaders
    // Read before anything is written, and valid all the same.
    const known = routing.request.headers
    const prefixLength = routing.routes.matched!.prefixLength
    headers.set(routing.clusterHeader, destination.cluster)
    const native = route.native
    if (native) headers.set(routing.nativeHeader, native)
    else this.removeOwn(known, routing.nativeHeader)
    const resilience = route.resilience
    if (resilience) resilience.apply(headers, known)
    const ofDestination = destination.request
    if (ofDestination) ofDestination.run(headers, known)
    const ofRoute = route.request
    if (ofRoute) ofRoute.run(headers, ofDestination ? null : known)
    let authority = destination.authority
    const rewrite = route.rewrite
    if (rewrite) {
      if (!authority) authority = rewrite.authority
      const path = known.get(utf8(':path'))
      const changed = path ? rewrite.pathOf(path, prefixLength) : null
      if (changed) {
        headers.set(utf8('x-envoy-original-path'), path!)
        headers.set(utf8(':path'), changed)
      }
    }
    if (authority) headers.set(utf8(':authority'), authority)
    if (route.response || destination.response) {
      this.route = route
      this.destination = destination
    }
    const mirrors = route.mirrors
    if (!mirrors) return
    const copy = Copy.of(mirrors)
    if (!copy) return
    copy.takeHeaders(headers.all(), routing.clusterHeader.view, routing.nativeHeader.view)
    if (endOfStream) this.send(copy)
    else this.copy = copy
  }

  /** Redirects and direct responses. */
  private answer(routing: Routing, route: Route): Action {
    const headers = routing.request.headers
    if (route.response) this.route = route
    const redirect = route.redirect
    if (redirect) {
      const location = redirect.location(headers, routing.routes.matched!.prefixLength)
      const lines = new Headers().add(utf8('location'), location)
      this.sendLocalResponse(redirect.status, ByteString.empty, lines, -1, utf8('direct_response'))
      return Action.Pause
    }
    const direct = route.direct!
    this.sendLocalResponse(direct.status, direct.body, direct.headers, -1, utf8('direct_response'))
    return Action.Pause
  }

  /** Whether a browser's question was answered. */
  private answersCors(cors: Cors, headers: Pairs): bool {
    const origin = headers.get(utf8('origin'))
    if (!origin || !origin.length) return false
    const isAllowed = cors.allows(origin)
    if (isAllowed) {
      this.cors = cors
      this.origin = origin.persist()
    }
    if (!cors.answers(headers, isAllowed)) return false
    this.sendLocalResponse(200, ByteString.empty, cors.answer(headers), -1, utf8('cors_response'))
    return true
  }

  onRequestBody(size: u32, endOfStream: bool): Action {
    const copy = this.copy
    if (!copy) return Action.Continue
    if (!copy.takeBody(this.requestBody.read(0, size))) this.copy = null
    else if (endOfStream) this.send(copy)
    return Action.Continue
  }

  onRequestTrailers(): Action {
    const copy = this.copy
    if (copy) this.send(copy)
    return Action.Continue
  }

  onResponseHeaders(endOfStream: bool): Action {
    const destination = this.destination
    const ofDestination = destination ? destination.response : null
    if (ofDestination) ofDestination.run(this.responseHeaders, null)
    const route = this.route
    const ofRoute = route ? route.response : null
    if (ofRoute) ofRoute.run(this.responseHeaders, null)
    const cors = this.cors
    if (cors) cors.addTo(this.responseHeaders, this.origin!.view)
    return Action.Continue
  }

  private send(copy: Copy): void {
    this.copy = null
    if (this.rootContext.becomeEffective()) copy.send(this.rootContext)
    this.becomeEffective()
  }

  /** Takes from the request what only this filter may say. */
  private removeOwn(known: Pairs, name: Bytes): void {
    if (known.indexOf(name) >= 0) this.requestHeaders.remove(name)
  }

  private notFound(): Action {
    this.sendLocalResponse(404, ByteString.empty, null, -1, utf8('route_not_found'))
    return Action.Pause
  }
}
