import { createRequire } from 'node:module';
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SyntheticModule } from 'node:vm';
import JestRuntime from 'jest-runtime';

const require = createRequire(import.meta.url);
const packages = `${sep}node_modules${sep}`;

/**
 * Packages that stay apart. Those for browsers look at the global object of the test, which may play a browser. The others
 * compare what they are given with their own `Promise` or `Object`.
 */
const perFile = ['@novnc', '@xterm', 'preact', 'oidc-provider', 'prom-client'].map(
  (name) => `${packages}${name}${sep}`,
);

/**
 * Jest's runtime, except that all test files of a worker share the packages from node_modules. Jest would evaluate each
 * package again for each file, which takes longer than most files.
 */
export default class Runtime extends JestRuntime {
  #environment;

  constructor(config, environment, ...options) {
    super(config, environment, ...options);
    this.#environment = environment;
    // Jest asks this for the path of whatever a module imports, and then looks whether the path is registered.
    // oxlint-disable-next-line no-underscore-dangle -- Jest's name
    const resolution = this._resolution;
    const { resolveEsm, resolveEsmAsync } = resolution;
    resolution.resolveEsm = (...request) => this.#register(resolveEsm.apply(resolution, request));
    resolution.resolveEsmAsync = async (...request) =>
      this.#register(await resolveEsmAsync.apply(resolution, request));
  }

  #register(path) {
    if (!path.includes(packages) || !/\.[cm]?js$/.test(path) || perFile.some((name) => path.includes(name)))
      return path;
    const registry = this.registries.getActiveEsmRegistry();
    const key = pathToFileURL(path).href;
    if (!registry.has(key)) {
      const module = this.#share(path);
      if (module) registry.set(key, module);
    }
    return path;
  }

  #share(path) {
    const loaded = load(path);
    if (!loaded) return undefined;
    const module = new SyntheticModule(
      Object.keys(loaded),
      function setExports() {
        for (const [name, value] of Object.entries(loaded)) this.setExport(name, value);
      },
      { context: this.#environment.getVmContext(), identifier: path },
    );
    void module.link(() => {});
    void module.evaluate();
    return module;
  }
}

/** By path: what `import * as` gives, or undefined for a package that can't be loaded synchronously. */
const namespaces = new Map();

function load(path) {
  if (!namespaces.has(path)) namespaces.set(path, tryToLoad(path));
  return namespaces.get(path);
}

function tryToLoad(path) {
  let exports;
  try {
    exports = require(path);
  } catch {
    // Jest loads it, or throws the error where the test sees it.
    return undefined;
  }
  if (exports?.[Symbol.toStringTag] === 'Module') return exports;
  return { ...exports, default: exports };
}
