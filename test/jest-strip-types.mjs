import { stripTypeScriptTypes } from 'node:module';

/** A Jest transformer on Node's own type stripping: no second compiler, no source maps, exact line numbers. */
export default {
  process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }),
};
