import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { services, stageService } from './stage-service.ts';

/** `npm run sbom`: writes the SBOM of each image to dist/, as it is in the image at /app/sbom.cdx.json. */
const outputFolder = fileURLToPath(new URL('../../dist/', import.meta.url));
const epochSeconds = Number(process.env['SOURCE_DATE_EPOCH'] ?? 0);
mkdirSync(outputFolder, { recursive: true });
for (const service of services) {
  const stagingFolder = mkdtempSync(join(tmpdir(), 'porthole-sbom-'));
  await stageService(service, stagingFolder, epochSeconds);
  const sbom = readFileSync(join(stagingFolder, 'sbom.cdx.json'));
  writeFileSync(join(outputFolder, `sbom-${service}.cdx.json`), sbom);
  rmSync(stagingFolder, { recursive: true });
  console.log(`dist/sbom-${service}.cdx.json`);
}
