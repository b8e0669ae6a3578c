/** The top level of a JSON Schema, in words. */

export interface Field {
  name: string
  /** `string`, `list of string`, `enforce | audit`, … */
  type: string
  required: boolean
  description?: string
  default?: unknown
}

interface Schema {
  $ref?: unknown
  type?: unknown
  const?: unknown
  enum?: unknown
  items?: unknown
  properties?: unknown
  additionalProperties?: unknown
  required?: unknown
  description?: unknown
  default?: unknown
}

/** Schemas are data: whatever is not understood is left out or called `any`. */
export function topLevelFields(schema: unknown): Field[] {
  const { properties, required } = object(resolve(schema, schema))
  return Object.entries(object(properties) as Record<string, unknown>)
    .filter(([name]) => name !== '$schema')
    .map(([name, value]) => {
      const field = object(value)
      const target = object(resolve(value, schema))
      const description = field.description ?? target.description
      return {
        name,
        type: typeOf(value, schema),
        required: Array.isArray(required) && required.includes(name),
        ...(typeof description === 'string' && { description }),
        ...('default' in field && { default: field.default }),
      }
    })
}

function object(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? value : {}
}

/** Follows references inside the document, as far as they lead. */
function resolve(value: unknown, root: unknown): unknown {
  let at = value
  // A reference to itself would go on for ever.
  for (let steps = 0; steps < 10; steps++) {
    const { $ref } = object(at)
    if (typeof $ref !== 'string' || !$ref.startsWith('#')) return at
    at = $ref
      .slice(1)
      .split('/')
      .filter(Boolean)
      .reduce<unknown>((node, key) => {
        const name = decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~')
        return (object(node) as Record<string, unknown>)[name]
      }, root)
  }
  return undefined
}

function typeOf(value: unknown, root: unknown): string {
  const schema = object(resolve(value, root))
  if ('const' in schema) return literal(schema.const)
  if (Array.isArray(schema.enum)) return schema.enum.map(literal).join(' | ')
  if (Array.isArray(schema.type)) return schema.type.join(' | ')
  if (schema.type === 'array') return schema.items === undefined ? 'list' : `list of ${typeOf(schema.items, root)}`
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object' && !schema.properties) {
    return `map of ${typeOf(schema.additionalProperties, root)}`
  }
  return typeof schema.type === 'string' ? schema.type : schema.properties ? 'object' : 'any'
}

function literal(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
