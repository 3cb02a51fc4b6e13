import { stopSharedChromium } from './web/shared-chromium.ts';

/** With `--runInBand`, tests run in Jest's own process, which has to go on and exit with the result. */
export default stopSharedChromium;
