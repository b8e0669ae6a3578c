/** Archives of tar, as far as images need them: files only when written; when read, also what other tools write. */

const BLOCK = 512

export interface File {
  name: string
  bytes: Uint8Array
}

/** POSIX ustar, without times and owners: the same files give the same bytes. Names have 100 bytes at most. */
export function writeTar(files: readonly File[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { name, bytes } of files) {
    parts.push(header(name, bytes.length), bytes, new Uint8Array(-bytes.length & (BLOCK - 1)))
  }
  return Buffer.concat([...parts, new Uint8Array(2 * BLOCK)])
}

function header(name: string, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long a name for this archive`)
  block.write(name, 0)
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at)
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.write('        ', 148)
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function checksum(block: Uint8Array): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0)
}

export class MalformedTar extends Error {}

/** The regular files of an archive, in order. Names may be long in GNU's or in POSIX's way. */
export function* readTar(archive: Uint8Array): Iterable<File> {
  const buffer = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength)
  let pending: { name?: string; size?: number } = {}
  for (let at = 0; at + BLOCK <= buffer.length;) {
    const block = buffer.subarray(at, at + BLOCK)
    if (block.every((byte) => byte === 0)) return
    if (octal(block, 148, 8) !== checksum(block)) throw new MalformedTar(`wrong checksum of the header at ${at}`)
    const size = pending.size ?? octal(block, 124, 12)
    const start = at + BLOCK
    if (start + size > buffer.length) throw new MalformedTar('the archive ends within a file')
    const bytes = buffer.subarray(start, start + size)
    at = start + Math.ceil(size / BLOCK) * BLOCK
    const type = String.fromCharCode(block[156]!)
    if (type === 'L') pending.name = text(bytes)
    else if (type === 'x') pending = { ...pending, ...readPax(bytes) }
    else if (type !== 'g' && type !== 'K') {
      const prefix = block.toString('latin1', 257, 262) === 'ustar' ? text(block.subarray(345, 500)) : ''
      const name = pending.name ?? `${prefix && `${prefix}/`}${text(block.subarray(0, 100))}`
      pending = {}
      if (type === '0' || type === '\0' || type === '7') yield { name, bytes }
    }
  }
}

function readPax(bytes: Buffer): { name?: string; size?: number } {
  const found: { name?: string; size?: number } = {}
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const length = Number(bytes.toString('latin1', at, space))
    if (space < 0 || !(length > 0)) throw new MalformedTar('a record of the extended header has no length')
    const record = bytes.toString('utf8', space + 1, at + length - 1)
    const equals = record.indexOf('=')
    if (record.slice(0, equals) === 'path') found.name = record.slice(equals + 1)
    if (record.slice(0, equals) === 'size') found.size = Number(record.slice(equals + 1))
    at += length
  }
  return found
}

/** Up to the first zero byte. */
function text(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end)
}

function octal(block: Buffer, at: number, length: number): number {
  const digits = text(block.subarray(at, at + length)).trim()
  if (!/^[0-7]*$/.test(digits)) throw new MalformedTar('a number in a header is not octal')
  return digits === '' ? 0 : parseInt(digits, 8)
}
