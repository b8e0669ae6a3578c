/** Makes a package's tarball of its folder, as `npm install` unpacks it. */

import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { gzipSync } from 'node:zlib'

const BLOCK = 512
const EXECUTABLE = 0o755
const REGULAR = 0o644

/** The folder's files but for packages that lie in it. */
export function tarball(folder: string): Buffer {
  const parts: Buffer[] = []
  for (const file of filesOf(folder)) {
    const contents = readFileSync(join(folder, file))
    const isExecutable = (lstatSync(join(folder, file)).mode & 0o100) !== 0
    parts.push(header(posix.join('package', file), contents.length, isExecutable ? EXECUTABLE : REGULAR), contents)
    parts.push(Buffer.alloc((BLOCK - (contents.length % BLOCK)) % BLOCK))
  }
  parts.push(Buffer.alloc(2 * BLOCK))
  // It only goes from one process to another on this machine.
  return gzipSync(Buffer.concat(parts), { level: 0 })
}

function filesOf(folder: string, under = ''): string[] {
  return readdirSync(join(folder, under), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(under, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesOf(folder, path)
    return entry.isFile() ? [path] : []
  })
}

/** A header of the ustar format. */
function header(path: string, size: number, mode: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const [name, prefix] = splitPath(path)
  const octal = (value: number, at: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), at)
  block.write(name, 0)
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.write('        0', 148)
  block.write('ustar\0' + '00', 257)
  block.write(prefix, 345)
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return block
}

/** The format has 100 bytes for a name, and 155 for what is before one of its slashes. */
function splitPath(path: string): [name: string, prefix: string] {
  if (Buffer.byteLength(path) <= 100) return [path, '']
  const slash = path.indexOf('/', path.length - 101)
  if (slash < 0 || slash > 155) throw new Error(`${path} is too long for a tarball`)
  return [path.slice(slash + 1), path.slice(0, slash)]
}
