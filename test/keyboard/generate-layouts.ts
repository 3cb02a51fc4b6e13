import { writeFileSync } from 'node:fs';
import { renderLayouts, tableFile, xkbVersion } from './xkb-layouts.ts';

/** `npm run keyboard:layouts`: makes the table of keyboard layouts anew from the installed xkeyboard-config. */
const found = xkbVersion();
if ('missing' in found) throw new Error(found.missing);
writeFileSync(tableFile, await renderLayouts(found.version));
