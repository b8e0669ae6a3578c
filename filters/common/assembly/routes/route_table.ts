import { Bytes, JsonValue } from '@meshscript/sdk'
import { CurrentRequest, currentRequest } from '../request/request'
import { IndexedRule, RuleIndex } from '../rules/rule_index'
import { Domains, NO_HOST } from './domains'
import { MatchReader } from './match'

const NO_ID = Bytes.from('')

/** Makes what a route stands for. */
export abstract class RouteReader<P> {
  /** `json`: the route with all its fields. Its `match` is read elsewhere. */
  abstract read(json: JsonValue): P
}

/** One way in which a request can match a route. */
export class RouteRule<P> extends IndexedRule {
  /** How many bytes of the path were asked for by a prefix; 1 without a condition on the path; -1 for the whole path. */
  prefixLength: i32 = 1

  constructor(
    /** Its place in the virtual host. */
    place: i32,
    readonly route: P,
  ) {
    super(place, NO_ID)
  }
}

/** The routes of some domains. */
class VirtualHost<P> {
  /** Instead of an index: the only route, which every request matches. */
  only: RouteRule<P> | null = null
  index: RuleIndex<RouteRule<P>> | null = null

  find(): RouteRule<P> | null {
    const index = this.index
    return index ? index.first() : this.only
  }
}

/**
 * Virtual hosts with routes, the first of which that matches counts, as in Envoy. The cost of finding it grows neither with the hosts nor with the routes,
 * as far as these differ in exact values, prefixes or regular expressions of the same parts of a request.
 *
 * ```ts
 * class MyReader extends RouteReader<MyRoute> {
 *   read(json: JsonValue): MyRoute { … }
 * }
 * const table = new RouteTable<MyRoute>()
 * table.read(json.get('virtualHosts'), new MyReader())   // at configure time, once
 * …
 * currentRequest().begin(this.requestHeaders)
 * const route = table.find()
 * ```
 */
export class RouteTable<P> {
  /** Whether a virtual host has the domain that was asked for last. */
  hasHost: bool = false
  /** How the route that was found last was matched; null when none was found. */
  matched: RouteRule<P> | null = null
  private domains: Domains = new Domains()
  private hosts: VirtualHost<P>[] = []
  private request: CurrentRequest = currentRequest()

  /** Reads `[{"name"?, "domains": […], "routes": [{"match"?, …}]}]`. */
  read(json: JsonValue, reader: RouteReader<P>): void {
    const hosts = json.array()
    for (let i = 0; i < hosts.length; i++) {
      const host = hosts[i]
      host.get('name').byteString('')
      const domains = host.get('domains').array()
      if (!domains.length) host.get('domains').fail('expected at least one domain')
      for (let n = 0; n < domains.length; n++) this.domains.add(domains[n], i)
      this.hosts.push(this.readRoutes(host.get('routes'), reader))
      host.release()
      if (json.hasError) return
    }
    this.domains.compile()
  }

  private readRoutes(json: JsonValue, reader: RouteReader<P>): VirtualHost<P> {
    const host = new VirtualHost<P>()
    const routes = json.array()
    if (routes.length == 1 && !routes[0].get('match').exists) {
      host.only = new RouteRule<P>(0, reader.read(routes[0]))
      return host
    }
    const index = new RuleIndex<RouteRule<P>>()
    const matches = new MatchReader<RouteRule<P>>(this.request, index)
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i]
      const read = reader.read(route)
      const match = route.get('match')
      if (match.exists) {
        const entries = match.array()
        if (!entries.length) match.fail('expected at least one entry; leave the field out where everything matches')
        for (let n = 0; n < entries.length; n++) {
          const rule = new RouteRule<P>(i, read)
          matches.addEntry(entries[n], rule)
          rule.prefixLength = matches.prefixLength
        }
      } else {
        matches.addEverything(new RouteRule<P>(i, read))
      }
      route.release()
      if (json.hasError) return host
    }
    index.compile()
    host.index = index
    return host
  }

  /** The route of the request that `currentRequest()` was begun with; null when no domain or none of its routes matches. */
  find(): P | null {
    const domains = this.domains
    const number = domains.find(domains.isTrivial ? null : this.request.host)
    this.hasHost = number != NO_HOST
    if (number == NO_HOST) {
      this.matched = null
      return null
    }
    const rule = unchecked(this.hosts[number]).find()
    this.matched = rule
    return rule ? rule.route : null
  }
}
