import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { services, stage } from './stage.ts';

/** `npm run sbom`: the list of what is in each image, as it is in the image, at /app/sbom.cdx.json. */
const out = fileURLToPath(new URL('../../dist/', import.meta.url));
const epoch = Number(process.env['SOURCE_DATE_EPOCH'] ?? 0);
mkdirSync(out, { recursive: true });
for (const service of services) {
  const folder = mkdtempSync(join(tmpdir(), 'porthole-sbom-'));
  stage(service, folder, epoch);
  writeFileSync(join(out, `sbom-${service}.cdx.json`), readFileSync(join(folder, 'sbom.cdx.json')));
  rmSync(folder, { recursive: true });
  console.log(`dist/sbom-${service}.cdx.json`);
}
