// Unit tests that run inside Wasm: `npx asp --config as-pect.config.js --as-config as-pect.asconfig.json`.
// vitest leaves `assembly` folders alone.

const OK = 0
const UNIMPLEMENTED = 12

/** There is no proxy here: logging is swallowed, and every other hostcall says that it can't be done. */
function hostcalls(binary) {
  const env = {}
  for (const { module, name } of WebAssembly.Module.imports(new WebAssembly.Module(binary))) {
    if (module === 'env' && name.startsWith('proxy_')) env[name] = () => (name === 'proxy_log' ? OK : UNIMPLEMENTED)
  }
  return env
}

export default {
  entries: ['sdk/assembly/__tests__/**/*.spec.ts', 'filters/*/assembly/**/__tests__/**/*.spec.ts'],
  include: [],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: { memory, ...hostcalls(binary) } }))
  },
  outputBinary: false,
}
