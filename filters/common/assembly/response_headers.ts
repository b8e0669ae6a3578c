import { Bytes, ByteString, HeaderMap, Headers } from '@meshscript/sdk'

/** What a gRPC service may want done with a header of the response: `append_action` of envoy.config.core.v3.HeaderValueOption. */
export enum HeaderAction {
  /** A further line. */
  Add,
  AddIfAbsent,
  Set,
  SetIfPresent,
}

/** What a provider wants done with the headers of a response that has yet to come. */
@final
export class ResponseHeaders {
  private actions: HeaderAction[] = []
  private names: Bytes[] = []
  private values: Bytes[] = []

  add(action: HeaderAction, name: ByteString, value: ByteString): void {
    this.actions.push(action)
    this.names.push(name.persist())
    this.values.push(value.persist())
  }

  apply(headers: HeaderMap): void {
    for (let i = 0; i < this.actions.length; i++) {
      const action = unchecked(this.actions[i])
      const name = unchecked(this.names[i])
      const value = unchecked(this.values[i])
      if (action == HeaderAction.Add) headers.add(name, value)
      else if (action == HeaderAction.Set) headers.set(name, value)
      else if (action == HeaderAction.AddIfAbsent) {
        if (!headers.has(name)) headers.add(name, value)
      } else if (headers.has(name)) headers.set(name, value)
    }
  }

  /** For a response of the filter's own, which has no others yet. */
  addTo(headers: Headers): void {
    for (let i = 0; i < this.actions.length; i++) {
      if (unchecked(this.actions[i]) != HeaderAction.SetIfPresent) {
        headers.add(unchecked(this.names[i]), unchecked(this.values[i]))
      }
    }
  }
}
