import { Bytes, ByteString, HeaderMap } from '@meshscript/sdk'

/** What a gRPC service may want done with a header (envoy.config.core.v3.HeaderValueOption). */
export enum HeaderAction {
  /** A further line. */
  Add,
  AddIfAbsent,
  Set,
  SetIfPresent,
  /** The deprecated `append`: joined to the first line by a comma. */
  Append,
}

/** Does `action` to one of the headers. */
export function changeHeader(headers: HeaderMap, action: HeaderAction, name: ByteString, value: ByteString): void {
  if (action == HeaderAction.Add) {
    headers.add(name, value)
    return
  }
  if (action == HeaderAction.Set) {
    headers.set(name, value)
    return
  }
  const known = headers.get(name)
  if (action == HeaderAction.AddIfAbsent) {
    if (!known) headers.add(name, value)
  } else if (action == HeaderAction.SetIfPresent) {
    if (known) headers.set(name, value)
  } else headers.set(name, known ? known.concat(',').concat(value) : value)
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
      changeHeader(headers, unchecked(this.actions[i]), unchecked(this.names[i]).view, unchecked(this.values[i]).view)
    }
  }
}
