import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { compileMessageFile, isMessageFile } from './compile-messages.ts';
import { thirdPartyNotices } from './third-party-notices.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The MPL requires that recipients can find the source of the covered files. This file says where it is. */
const notices: Plugin = {
  name: 'third-party-notices',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'third-party-notices.txt', source: thirdPartyNotices() });
  },
};

const messages: Plugin = {
  name: 'messages',
  load(id) {
    return isMessageFile(id) ? { code: compileMessageFile(id), moduleType: 'js' } : undefined;
  },
};

const manifest = {
  name: '@porthole/embed',
  version: JSON.parse(readFileSync(here('../../../package.json'), 'utf8')).version as string,
  license: 'Apache-2.0',
  type: 'module',
  exports: './porthole-console.js',
  sideEffects: true,
};

/** The folder dist/embed is a package, for sites that build their pages: `npm pack services/broker/web/dist/embed`. */
const embedPackage: Plugin = {
  name: 'embed-package',
  generateBundle() {
    this.emitFile({
      type: 'asset',
      fileName: 'embed/package.json',
      source: `${JSON.stringify(manifest, undefined, 2)}\n`,
    });
  },
};

export default defineConfig({
  root: here('.'),
  // The broker tells the pages their base path when it starts.
  base: './',
  publicDir: false,
  resolve: { conditions: ['source', 'module', 'browser', 'import', 'default'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [notices, embedPackage, messages],
  build: {
    outDir: here('./dist'),
    emptyOutDir: true,
    manifest: true,
    target: 'es2022',
    // Both would put code or data: URLs into the pages, which their content security policy forbids.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {
        index: here('./index.html'),
        console: here('./console.html'),
        lti: here('./lti.html'),
        recording: here('./recording.html'),
        embed: here('./src/embed/porthole-console.ts'),
      },
      output: {
        // Other sites name the script, so its name stays.
        entryFileNames: ({ name }) =>
          name === 'embed' ? 'embed/porthole-console.js' : 'assets/[name]-[hash].js',
        // The broker finds the files of languages by their names.
        chunkFileNames: ({ facadeModuleId }) =>
          facadeModuleId && isMessageFile(facadeModuleId)
            ? 'assets/language-[name]-[hash].js'
            : 'assets/[name]-[hash].js',
      },
    },
  },
});
