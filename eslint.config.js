import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['node_modules/**', '.artifacts/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/require-await': 'off',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
      ],
      eqeqeq: 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  {
    files: ['{director,spawner,shared}/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/**', '**/contract/**', 'shared/src/deadline.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        {
          selector: "MemberExpression[object.name='AbortSignal'][property.name='timeout']",
          message: 'It throws for a fraction: use abortAfter of @berth/shared/deadline.',
        },
      ],
    },
  },
  {
    // Only what starts a process may look at its environment; each command is a process of its own.
    files: ['{director,spawner}/src/**/*.ts', 'shared/src/**/*.ts', 'demo/idp/src/**/*.ts'],
    ignores: ['**/main.ts', '**/commands/*.ts', '**/*.test.ts', '**/*.contract.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'The environment is read in main.ts only.' },
      ],
    },
  },
  {
    files: ['**/*.test.ts', '**/*.contract.ts', 'e2e/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // node:test's describe and it return promises that the runner awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['it', 'describe', 'test', 'suite'], package: 'node:test' },
          ],
        },
      ],
    },
  },
)
