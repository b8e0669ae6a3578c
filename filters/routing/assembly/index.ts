import { Action, Bytes, Configuration, HttpContext, JsonValue, RootContext, utf8 } from '@meshscript/sdk'
import { currentRequest } from '../../common/assembly/request/request'
import { RouteReader, RouteTable } from '../../common/assembly/routes/route_table'

class Route {
  constructor(readonly cluster: Bytes) {}
}

class Reader extends RouteReader<Route> {
  read(json: JsonValue): Route {
    json.get('name').byteString('')
    return new Route(json.get('destinations').array()[0].get('cluster').bytes())
  }
}

export class RoutingRoot extends RootContext {
  table: RouteTable<Route> = new RouteTable<Route>()

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    const table = new RouteTable<Route>()
    json.get('version').integer()
    table.read(json.get('virtualHosts'), new Reader())
    if (!json.refuseUnknown()) return false
    this.table = table
    return true
  }
}

export class RoutingContext extends HttpContext<RoutingRoot> {
  onRequestHeaders(endOfStream: bool): Action {
    currentRequest().begin(this.requestHeaders)
    const route = this.root.table.find()
    this.requestHeaders.set(utf8('x-meshscript-cluster'), route ? route.cluster.view : utf8('none'))
    return Action.Continue
  }
}
