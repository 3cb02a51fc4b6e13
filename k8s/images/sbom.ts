import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { npmCommand } from './npm-command.ts';

/** Packages that Vite bundles into the web pages. The same packages are in third-party-notices.txt of the pages. */
export const bundledPackages = ['@novnc/novnc', '@xterm/addon-fit', '@xterm/xterm', 'preact'];

interface Bom {
  serialNumber: string;
  metadata: { timestamp: string; component: { name: string } };
  components: { type: string; name: string; version: string; 'bom-ref': string; purl: string }[];
}

/**
 * Creates a CycloneDX SBOM of a staging folder: the npm packages in it, the packages bundled into the web pages, and Node.js.
 * npm reads the staged files and not the repository, so that the SBOM lists exactly what the image contains.
 */
export function createSbom(service: string, stagingFolder: string, epochSeconds: number): string {
  const [command, ...npmArgs] = npmCommand();
  const args = [
    'sbom',
    '--loglevel=error',
    '--omit=dev',
    '--sbom-format=cyclonedx',
    '--sbom-type=application',
  ];
  const run = spawnSync(command, [...npmArgs, ...args], {
    cwd: stagingFolder,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    // These variables of `npm run` would make npm read the repository instead of the staging folder.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package)/.test(name)),
    ),
  });
  if (run.status !== 0) throw new Error(`npm sbom failed:\n${run.stderr}`);
  const bom = JSON.parse(run.stdout) as Bom;
  if (service !== 'relay')
    bom.components.push(...bundledPackages.map((name) => npmComponent(name, lockedVersion(name))));
  const node = process.versions.node;
  bom.components.push({
    type: 'application',
    name: 'node',
    version: node,
    'bom-ref': `node@${node}`,
    purl: `pkg:generic/node@${node}`,
  });
  // npm uses the current time, a random number and the folder name. Builds of the same commit must be identical.
  bom.metadata.timestamp = new Date(epochSeconds * 1000).toISOString();
  bom.metadata.component.name = `porthole-${service}`;
  bom.serialNumber = '';
  bom.serialNumber = `urn:uuid:${uuidFromText(JSON.stringify(bom))}`;
  return `${JSON.stringify(bom, null, 2)}\n`;
}

function npmComponent(name: string, version: string): Bom['components'][number] {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { type: 'library', name, version, 'bom-ref': `${name}@${version}`, purl };
}

function lockedVersion(name: string): string {
  const lockfile = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Readonly<Record<string, { version: string }>>;
  };
  const version = lockfile.packages[`node_modules/${name}`]?.version;
  if (version === undefined) throw new Error(`package-lock.json doesn't contain ${name}.`);
  return version;
}

/** Derives a version 8 UUID (RFC 9562) from the SHA-256 hash of a text. */
function uuidFromText(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = '89ab'[parseInt(hex[16] ?? '0', 16) & 3] ?? '8';
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
