import { cpSync, existsSync, lutimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { services, stageService } from './stage-service.ts';

/**
 * `node k8s/images/stage-images.ts FOLDER [EPOCH [SERVICE]]`: stages the files of each image, or of one, in FOLDER/<service>, and
 * the Node.js binary in FOLDER/node. The Dockerfile copies them.
 */
const [outputFolder, epoch = '0', only] = process.argv.slice(2);
if (outputFolder === undefined)
  throw new Error('Usage: node k8s/images/stage-images.ts FOLDER [EPOCH [SERVICE]]');
const epochSeconds = Number(epoch);
// Present in the official Node.js image and archive.
const nodeLicense = join(dirname(process.execPath), '../LICENSE');
for (const service of services.filter((name) => only === undefined || name === only)) {
  const serviceFolder = `${outputFolder}/${service}`;
  await stageService(service, serviceFolder, epochSeconds);
  if (existsSync(nodeLicense)) {
    cpSync(nodeLicense, `${serviceFolder}/LICENSE.node`);
    lutimesSync(`${serviceFolder}/LICENSE.node`, epochSeconds, epochSeconds);
    lutimesSync(serviceFolder, epochSeconds, epochSeconds);
  }
}
cpSync(process.execPath, `${outputFolder}/node`, { dereference: true });
lutimesSync(`${outputFolder}/node`, epochSeconds, epochSeconds);
