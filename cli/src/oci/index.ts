/** Images in registries: names, a client, packing, pushing and pulling. */

export { type RegistryOptions } from './connection.ts'
export { type Descriptor, describe, digestOf, MediaType } from './descriptor.ts'
export { RegistryError } from './errors.ts'
export { type Image, type ImageOptions, type Layout, packImage } from './image.ts'
export { type Form, pullModule, type Pulled, readImage } from './pull.ts'
export { pushImage, type Pushed, type PushOptions } from './push.ts'
export { checkTag, formatReference, isLoopback, parseReference, type Reference } from './reference.ts'
export { Registry } from './registry.ts'
