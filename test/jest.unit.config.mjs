import config from './jest.config.mjs';
import { unitTests } from './unit-tests.ts';

/** The tests that start no other program: `npm run test:unit`. */
export default { ...config, testMatch: unitTests(), maxWorkers: 4 };
