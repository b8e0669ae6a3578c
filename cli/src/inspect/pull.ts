import { UserError } from '../errors.ts'
import { type Io } from '../terminal.ts'
import { type ImageReport } from './image.ts'

/** Until the registry client is there. */
export function pullImage(name: string, _flags: object, _io: Io): Promise<{ bytes: Uint8Array; image: ImageReport }> {
  return Promise.reject(new UserError(`${name}: images can't be read yet`, 'INSP006'))
}
