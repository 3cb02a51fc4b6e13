import { cpSync, existsSync, lutimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { services, stage } from './stage.ts';

/** `node k8s/images/stage-main.ts OUT [EPOCH]`: what goes into the images, one folder each, and Node itself. */
const [out, epoch = '0'] = process.argv.slice(2);
if (out === undefined) throw new Error('Where to?');
// Where Node was installed from its own archive, as in its official image.
const license = join(dirname(process.execPath), '../LICENSE');
for (const service of services) {
  stage(service, `${out}/${service}`, Number(epoch));
  if (existsSync(license)) {
    cpSync(license, `${out}/${service}/LICENSE.node`);
    lutimesSync(`${out}/${service}/LICENSE.node`, Number(epoch), Number(epoch));
    lutimesSync(`${out}/${service}`, Number(epoch), Number(epoch));
  }
}
cpSync(process.execPath, `${out}/node`, { dereference: true });
lutimesSync(`${out}/node`, Number(epoch), Number(epoch));
