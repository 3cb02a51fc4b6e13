import { cpSync, lutimesSync } from 'node:fs';
import { services, stage } from './stage.ts';

/** `node images/stage-main.ts OUT [EPOCH]`: what goes into the images, one folder each, and Node itself. */
const [out, epoch = '0'] = process.argv.slice(2);
if (out === undefined) throw new Error('Where to?');
for (const service of services) stage(service, `${out}/${service}`, Number(epoch));
cpSync(process.execPath, `${out}/node`, { dereference: true });
lutimesSync(`${out}/node`, Number(epoch), Number(epoch));
