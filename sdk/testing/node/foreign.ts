/** Envoy's foreign functions. */
import { createPrivateKey, createPublicKey, getHashes, sign, verify } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import { Status } from './abi.ts'
import { toText } from './bytes.ts'
import { serializeCel } from './cel.ts'
import type { Context } from './context.ts'
import { parseExpression } from './expr.ts'
import { ExpressionError, UnknownFunctionError } from './expr_operations.ts'
import { NO_FUNCTION, type Outcome } from './hostcall.ts'
import { findAttribute } from './properties.ts'
import { encodeMessage, fieldBytes, fieldNumber, parseMessage, type ProtoField } from './protobuf.ts'

type Foreign = (context: Context, args: Buffer) => Outcome

const NOTHING = ['']

/** Keys for which Envoy can make filter state from bytes. */
const FILTER_STATE_KEYS = new Set([
  'envoy.tcp_proxy.cluster',
  'envoy.tcp_proxy.disable_tunneling',
  'envoy.network.upstream_server_name',
  'envoy.network.application_protocols',
  'envoy.network.upstream_subject_alt_names',
  'envoy.upstream.dynamic_host',
  'envoy.upstream.dynamic_port',
  'envoy.hashable_string',
  'envoy.string',
])

export function callForeign(context: Context, name: string, args: Buffer): Outcome {
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name]!(context, args) : NO_FUNCTION
}

const FUNCTIONS: Record<string, Foreign> = {
  compress: (_context, args) => [deflateSync(args)],
  uncompress(_context, args) {
    try {
      return [inflateSync(args)]
    } catch {
      return Status.SerializationFailure
    }
  },
  clear_route_cache(context) {
    context.clearRouteCache()
    return NOTHING
  },
  expr_create: createExpression,
  expr_evaluate: evaluateExpression,
  expr_delete(context, args) {
    if (args.length !== 4) return Status.BadArgument
    context.root.expressions.delete(args.readUInt32LE())
    return NOTHING
  },
  set_envoy_filter_state: withMessage((context, fields) => {
    const path = fieldBytes(fields, 1).toString('latin1')
    if (!FILTER_STATE_KEYS.has(path)) return Status.NotFound
    const value = fieldBytes(fields, 2).toString('latin1')
    return context.setFilterState(path, { value, type: { type: 1, readOnly: false } }) || NOTHING
  }),
  declare_property: withMessage((context, fields) => {
    const name = fieldBytes(fields, 1).toString('latin1')
    const { declared } = context
    if (declared.has(name)) return Status.BadArgument
    declared.set(name, { type: fieldNumber(fields, 3), readOnly: fieldNumber(fields, 2) !== 0 })
    return NOTHING
  }),
  verify_signature: withMessage((_context, fields) => verifySignature(fields)),
  sign: withMessage((_context, fields) => makeSignature(fields)),
}

function withMessage(run: (context: Context, fields: ProtoField[]) => Outcome): Foreign {
  return (context, args) => {
    const fields = parseMessage(args)
    return fields ? run(context, fields) : Status.BadArgument
  }
}

function createExpression(context: Context, source: Buffer): Outcome {
  const { root } = context
  try {
    const expression = parseExpression(source.toString('latin1'))
    const id = root.nextExpression++
    root.expressions.set(id, expression)
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(id)
    return [bytes]
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    // Refused only after it was read, it has used up an id.
    if (error instanceof UnknownFunctionError) root.nextExpression++
    context.host.note(`expr_create: ${error.message} in '${toText(source.toString('latin1'))}'`)
    return Status.BadArgument
  }
}

function evaluateExpression(context: Context, args: Buffer): Outcome {
  if (args.length !== 4) return Status.BadArgument
  const expression = context.root.expressions.get(args.readUInt32LE())
  if (!expression) return Status.NotFound
  try {
    const bytes = serializeCel(expression((name) => findAttribute(context, name)))
    return bytes === undefined ? Status.SerializationFailure : [bytes]
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    context.host.note(`expr_evaluate: ${error.message}`)
    return Status.InternalFailure
  }
}

/** The name of Envoy's hash function as Node's; undefined if there is none. */
function hashName(fields: readonly ProtoField[]): string | undefined {
  const name = fieldBytes(fields, 1).toString('latin1').toLowerCase()
  return getHashes().includes(name) ? name : undefined
}

function verifySignature(fields: readonly ProtoField[]): Outcome {
  const der = fieldBytes(fields, 2)
  const pem = fieldBytes(fields, 5)
  if (der.length === 0 && pem.length === 0) return Status.BadArgument
  const hash = hashName(fields)
  const text = fieldBytes(fields, 4)
  const answer = (error: string) => [
    encodeMessage([
      [1, error === ''],
      [2, error],
    ]),
  ]
  if (!hash) return answer(`${fieldBytes(fields, 1).toString('latin1')} is not supported.`)
  try {
    const key = pem.length > 0 ? createPublicKey(pem) : createPublicKey({ key: der, format: 'der', type: 'spki' })
    return answer(verify(hash, text, key, fieldBytes(fields, 3)) ? '' : 'Failed to verify digest. Error code: 0')
  } catch {
    return answer('Failed to initialize digest verify.')
  }
}

function makeSignature(fields: readonly ProtoField[]): Outcome {
  const der = fieldBytes(fields, 2)
  const pem = fieldBytes(fields, 4)
  if (der.length === 0 && pem.length === 0) return Status.BadArgument
  const hash = hashName(fields)
  if (!hash) return [encodeMessage([[3, `${fieldBytes(fields, 1).toString('latin1')} is not supported.`]])]
  try {
    const key = pem.length > 0 ? createPrivateKey(pem) : createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    return [
      encodeMessage([
        [1, true],
        [2, sign(hash, fieldBytes(fields, 3), key)],
      ]),
    ]
  } catch {
    return [encodeMessage([[3, 'Invalid key type: private key required for signing operation.']])]
  }
}
