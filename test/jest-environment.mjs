import vm from 'node:vm';
import { TestEnvironment as NodeEnvironment } from 'jest-environment-node';
import { closeSharedContexts, hasSharedChromium, sharedChromium } from './web/shared-chromium.ts';

// At the end of the run, Jest stops to send messages to its workers, which must end by themselves within half a second.
// Chromium takes longer to close, but ends with the process that started it.
process.on('removeListener', (event) => {
  if (event === 'message' && hasSharedChromium()) process.exit();
});

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
