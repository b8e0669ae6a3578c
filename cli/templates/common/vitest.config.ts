import { filterPlugin } from 'meshscript/vitest'
import { defineConfig } from 'vitest/config'

export default defineConfig({ plugins: [filterPlugin()] })
