import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { npm } from './npm.ts';

/** Packages whose code Vite puts into the pages; the file third-party-notices.txt beside them says the same. */
export const inThePages = ['@novnc/novnc', '@xterm/addon-fit', '@xterm/xterm', 'preact'];

interface Bom {
  serialNumber: string;
  metadata: { timestamp: string; component: { name: string } };
  components: { type: string; name: string; version: string; 'bom-ref': string; purl: string }[];
}

/**
 * The software that was staged there, as CycloneDX: what npm finds in it, the packages inside of the pages, and Node.
 * npm is asked about the staged files, not about the repository: the list names what is in the image.
 */
export function sbomOf(service: string, staged: string, epochSeconds: number): string {
  const [command, ...first] = npm();
  const args = ['sbom', '--omit=dev', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const run = spawnSync(command, [...first, ...args], {
    cwd: staged,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    // Started by `npm run`, it would take our own folder for its own.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package)/.test(name)),
    ),
  });
  if (run.status !== 0) throw new Error(`npm sbom failed:\n${run.stderr}`);
  const bom = JSON.parse(run.stdout) as Bom;
  if (service !== 'relay')
    bom.components.push(...inThePages.map((name) => fromNpm(name, lockedVersion(name))));
  const node = process.versions.node;
  bom.components.push({
    type: 'application',
    name: 'node',
    version: node,
    'bom-ref': `node@${node}`,
    purl: `pkg:generic/node@${node}`,
  });
  // npm takes the time, a random number and the folder's name; the same commit shall give the same file.
  bom.metadata.timestamp = new Date(epochSeconds * 1000).toISOString();
  bom.metadata.component.name = `porthole-${service}`;
  bom.serialNumber = '';
  bom.serialNumber = `urn:uuid:${uuidOf(JSON.stringify(bom))}`;
  return `${JSON.stringify(bom, null, 2)}\n`;
}

function fromNpm(name: string, version: string): Bom['components'][number] {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { type: 'library', name, version, 'bom-ref': `${name}@${version}`, purl };
}

function lockedVersion(name: string): string {
  const lockfile = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Readonly<Record<string, { version: string }>>;
  };
  const version = lockfile.packages[`node_modules/${name}`]?.version;
  if (version === undefined) throw new Error(`${name} is not locked.`);
  return version;
}

/** A version 8 UUID of what was hashed. */
function uuidOf(text: string): string {
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
