import { writeFileSync } from 'node:fs';
import { quickstartFile, renderQuickstart } from './quickstart.ts';

/** `npm run k8s:render`. A test fails when the file is stale. */
writeFileSync(quickstartFile, renderQuickstart());
