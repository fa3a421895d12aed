// What may the tab's JavaScript not do? ESLint's own recommendations, and what keeps modules plain; layout is nobody's business here.

import js from "@eslint/js";
import globals from "globals";

const RULES = {
  ...js.configs.recommended.rules,
  "no-var": "error",
  "prefer-const": "error",
  eqeqeq: ["error", "always"],
  "no-shadow": "error",
  "no-implicit-coercion": ["error", { allow: ["!!"] }],
  "no-throw-literal": "error",
  "no-eval": "error",
  "no-alert": "error",
  "no-console": ["error", { allow: ["warn", "error"] }],
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
  "object-shorthand": "error",
  "prefer-template": "error",
  "no-useless-return": "error",
  "no-else-return": ["error", { allowElseIf: true }],
  "no-restricted-syntax": [
    "error",
    { selector: "AssignmentExpression[left.property.name='innerHTML']", message: "Texts of others would run as markup; use html``." },
    { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Texts of others would run as markup." },
  ],
};

export default [
  { ignores: ["**/vendor/**", "**/node_modules/**"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["javascript/**/*.mjs"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.browser },
    rules: RULES,
  },
  {
    files: ["tests/javascript/*.mjs"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: { ...globals.node, ...globals.browser } },
    rules: RULES,
  },
];
