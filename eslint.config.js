import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import tseslint from 'typescript-eslint'

const assemblyscript = ['**/assembly/**/*.ts']

export default tseslint.config(
  { ignores: ['**/dist/', '**/build/', '!cli/src/build/', '**/coverage/', '**/fixtures/', '**/.cache/', 'patches/'] },
  js.configs.recommended,
  {
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'Buffer', 'URL', 'WebAssembly', 'TextEncoder', 'TextDecoder', 'performance']
          .concat([
            'setTimeout',
            'clearTimeout',
            'setInterval',
            'clearInterval',
            'setImmediate',
            'fetch',
            'AbortSignal',
          ])
          .map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.ts'],
    ignores: [...assemblyscript, '**/*.d.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Callbacks of an interface are async where one of its implementations has to wait.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    },
  },
  {
    // JSON and YAML of a test are looked into without types.
    files: ['**/*.test.ts', '**/*.spec.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // AssemblyScript looks like TypeScript and means something else: only rules about the text of a file hold.
    files: assemblyscript,
    ignores: ['**/*.d.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { allowInvalidAST: true } },
    rules: {
      'no-undef': 'off',
      'no-unused-vars': 'off',
      'no-redeclare': 'off',
      'no-dupe-class-members': 'off',
      'no-loss-of-precision': 'off',
      'no-constant-condition': 'off',
      'no-constant-binary-expression': 'off',
      'no-self-assign': 'off',
      'prefer-const': 'error',
      'no-var': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none', varsIgnorePattern: '^_' }],
    },
  },
  prettier,
)
