/** Attributes, filter state and foreign functions. */
import { Status } from '../abi.ts'
import { serializeCel } from '../cel.ts'
import { callForeign } from '../foreign.ts'
import { hostcall } from '../hostcall.ts'
import { getProperty } from '../properties.ts'

export const properties = {
  get_property: hostcall(['text'], ['bytes'], (context, path) => {
    const value = getProperty(context, path)
    if (value === undefined) return Status.NotFound
    const bytes = serializeCel(value)
    return bytes === undefined ? Status.SerializationFailure : [bytes]
  }),
  set_property: hostcall(['text', 'text'], [], (context, path, value) => context.setProperty(path, value)),
  call_foreign_function: hostcall(['text', 'bytes'], ['bytes anyway'], (context, name, args) =>
    callForeign(context, name, args),
  ),
}
