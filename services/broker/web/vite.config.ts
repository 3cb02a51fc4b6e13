import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { thirdPartyNotices } from './third-party-notices.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The MPL requires that recipients can find the source of the covered files. This file says where it is. */
const notices: Plugin = {
  name: 'third-party-notices',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'third-party-notices.txt', source: thirdPartyNotices() });
  },
};

export default defineConfig({
  root: here('.'),
  // The broker tells the pages their base path when it starts.
  base: './',
  publicDir: false,
  resolve: { conditions: ['source', 'module', 'browser', 'import', 'default'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [notices],
  build: {
    outDir: here('./dist'),
    emptyOutDir: true,
    manifest: true,
    target: 'es2022',
    // Both would put code or data: URLs into the pages, which their content security policy forbids.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: [here('./index.html'), here('./console.html'), here('./lti.html')] },
  },
});
