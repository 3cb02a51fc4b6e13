import vm from 'node:vm';
import { TestEnvironment as NodeEnvironment } from 'jest-environment-node';
import { closeSharedContexts, hasSharedChromium, sharedChromium } from './web/shared-chromium.ts';

// At the end of the run, Jest stops to send messages to its workers, which must end by themselves within half a second.
// Chromium takes longer to close, but ends with the process that started it.
process.on('removeListener', (event) => {
  if (event === 'message' && hasSharedChromium()) process.exit();
});

/** The types of errors that Node and packages throw. */
const errorTypes = ['Error', 'AggregateError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError'];

/** As in production, errors of Node and of packages are instances of `Error`. They come from outside of the tests' global object. */
function acceptErrorsOfNode(testGlobal) {
  const isInstance = Function.prototype[Symbol.hasInstance];
  for (const name of errorTypes) {
    const [type, outer] = [testGlobal[name], globalThis[name]];
    Object.defineProperty(type, Symbol.hasInstance, {
      value(thrown) {
        return isInstance.call(this, thrown) || (this === type && isInstance.call(outer, thrown));
      },
    });
  }
}

/** Where Node and undici keep the dispatcher of `fetch`: in the global object outside of the tests. */
const dispatchers = ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'].map((name) =>
  Symbol.for(name),
);

function shareDispatchers(testGlobal) {
  for (const name of dispatchers)
    Object.defineProperty(testGlobal, name, { configurable: true, get: () => globalThis[name] });
}

/** Node's environment, with a usual global object, and with the Chromium that all test files of a worker share. */
export default class Environment extends NodeEnvironment {
  constructor(...options) {
    // Jest gives `node:vm` a proxy for the global object, which makes each access to `Buffer` or `Math` thirty times as
    // slow. Without one, tests of random input take half of the CPU time.
    const { createContext } = vm;
    vm.createContext = () => createContext(vm.constants.DONT_CONTEXTIFY);
    try {
      super(...options);
    } finally {
      vm.createContext = createContext;
    }
    acceptErrorsOfNode(this.global);
    shareDispatchers(this.global);
  }

  async setup() {
    await super.setup();
    this.global.sharedChromium = sharedChromium;
  }

  async teardown() {
    await closeSharedContexts();
    await super.teardown();
  }
}
