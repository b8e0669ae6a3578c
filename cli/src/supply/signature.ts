/** Signatures of images by key, in the form that `cosign sign --key` writes and `cosign verify --key` reads. */

import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { UserError } from '../errors.ts'

export const SIMPLE_SIGNING_MEDIA_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json'
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature'

/** How to get a key that serves. */
const MAKE_KEY = 'make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing.key'

export interface Signature {
  /** What is signed: names the image and its digest. */
  payload: Uint8Array
  /** Base64 of the ECDSA signature over the payload's SHA-256, DER. */
  signature: string
}

/** The tag where cosign looks for the signatures of an image. */
export function signatureTag(digest: string): string {
  return `${digest.replace(':', '-')}.sig`
}

/** `image` is `HOST/REPOSITORY`, without tag and digest. */
export function sign(image: string, digest: string, key: KeyObject): Signature {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': image },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  )
  return { payload, signature: signBytes('sha256', payload, key).toString('base64') }
}

/** Whether the signature is by this key, and of this image. */
export function verify({ payload, signature }: Signature, digest: string, key: KeyObject): boolean {
  if (!verifyBytes('sha256', payload, key, Buffer.from(signature, 'base64'))) return false
  return signedDigest(payload) === digest
}

function signedDigest(payload: Uint8Array): unknown {
  try {
    const { critical } = JSON.parse(Buffer.from(payload).toString('utf8')) as {
      critical?: { image?: Record<string, unknown> }
    }
    return critical?.image?.['docker-manifest-digest']
  } catch {
    return undefined
  }
}

/** Reads a private key: ECDSA P-256 as plain PEM. */
export function readSigningKey(file: string): KeyObject {
  const pem = readPem(file)
  if (/BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY/.test(pem)) {
    throw new UserError(
      `${file} is a key encrypted by cosign, which only cosign can read; a plain PEM key is needed: ${MAKE_KEY}`,
      'SUP002',
    )
  }
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    throw new UserError(
      `${file} is encrypted; a plain PEM key is needed: openssl pkey -in ${file} -out plain.key`,
      'SUP002',
    )
  }
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new UserError(`${file} is no private key in PEM form; ${MAKE_KEY}`, 'SUP003')
  }
  return requireP256(key, file)
}

/** Reads a public key. A private one serves too: its public half is taken. */
export function readVerificationKey(file: string): KeyObject {
  const pem = readPem(file)
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch {
    throw new UserError(
      `${file} is no public key in PEM form; make one with: openssl pkey -in signing.key -pubout -out signing.pub`,
      'SUP003',
    )
  }
  return requireP256(key, file)
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UserError(`the key ${file} can't be read: ${(error as Error).message}`, 'SUP001')
  }
}

function requireP256(key: KeyObject, file: string): KeyObject {
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  const has = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'unknown'
  throw new UserError(`${file} is a key of the kind ${has}, but ECDSA P-256 is needed; ${MAKE_KEY}`, 'SUP003')
}
