import { stripTypeScriptTypes } from 'node:module';
import { compileMessageFile, isMessageFile } from '../services/broker/web/compile-messages.ts';

/** A Jest transformer that strips types with Node's own function: no second compiler, and exact line numbers. */
export default {
  process: (source, path) => ({
    code: isMessageFile(path) ? compileMessageFile(path) : stripTypeScriptTypes(source, { mode: 'strip' }),
  }),
};
