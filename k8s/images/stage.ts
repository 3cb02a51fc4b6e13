import { spawnSync } from 'node:child_process';
import {
  cpSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from './npm.ts';
import { sbomOf } from './sbom.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Each is an image, and a workspace of the same name. */
export const services = ['broker', 'relay', 'standalone'] as const;
export type Service = (typeof services)[number];

/** What Node never reads: types, sources, maps and manuals. Licences stay. */
const unread = /\.(d\.[cm]?ts|ts|tsx|map|md|markdown|tsbuildinfo)$/;

/**
 * Puts what an image has below /app into a folder: the compiled services, the built pages and the packages that
 * they import at run time, and a list of all that. It takes what `npm ci` and `npm run build` left here and asks
 * nobody, so the Dockerfile and a test without a network stage the very same files.
 */
export function stage(service: Service, out: string, epochSeconds: number): void {
  const { version, license } = readManifest(join(root, 'package.json'));
  mkdirSync(out, { recursive: true });
  // npm finds what belongs together by it when it writes the list.
  const own = { name: `porthole-${service}`, version, private: true, license, workspaces: ['services/*'] };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(own, null, 2)}\n`);
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
  for (const path of packagesOf(service)) copy(path, out);
  for (const name of workspacesOf(service)) {
    copy(`services/${name}/dist`, out);
    cpSync(join(root, `services/${name}/package.json`), join(out, `services/${name}/package.json`));
    link(`services/${name}`, out);
  }
  if (service !== 'relay') copy('services/broker/web/dist', out);
  writeFileSync(join(out, 'sbom.cdx.json'), sbomOf(service, out, epochSeconds));
  setTimes(out, epochSeconds);
}

/** Services that a service consists of. */
function workspacesOf(service: Service): readonly string[] {
  if (service === 'standalone') return ['shared', 'broker', 'relay', 'standalone'];
  return ['shared', service];
}

/** Folders of packages that are needed at run time, `node_modules/pino`; npm itself says which. */
function packagesOf(service: Service): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, { dev?: boolean; link?: boolean }>>;
  };
  const [command, ...first] = npm();
  const args = ['ls', '--workspace', `services/${service}`, '--omit=dev', '--all', '--parseable'];
  const { stdout, stderr } = spawnSync(command, [...first, ...args], { cwd: root, encoding: 'utf8' });
  const found = stdout
    .split('\n')
    .map((path) => relative(root, path))
    // Only what is locked for this: something may have been installed by hand, or by a package's script.
    .filter((path) => path.includes('node_modules/') && packages[path] && !packages[path].link)
    .filter((path) => !packages[path]?.dev);
  if (found.length === 0) throw new Error(`npm lists no packages of ${service}:\n${stderr}`);
  return found;
}

function copy(path: string, out: string): void {
  cpSync(join(root, path), join(out, path), {
    recursive: true,
    dereference: true,
    filter: (from) =>
      !unread.test(from) &&
      // Packages inside of others are listed by themselves; what lies in `.vite` is the build's own.
      !(from !== join(root, path) && /^(node_modules|\.vite)$/.test(basename(from))),
  });
}

/** As npm links workspaces. */
function link(path: string, out: string): void {
  const { name } = readManifest(join(root, path, 'package.json'));
  const place = join(out, 'node_modules', name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(relative(dirname(place), join(out, path)), place);
}

/** Folders and files alike, so that the same commit gives the same layers. */
function setTimes(path: string, epochSeconds: number): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) setTimes(inside, epochSeconds);
    else lutimesSync(inside, epochSeconds, epochSeconds);
  }
  lutimesSync(path, epochSeconds, epochSeconds);
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

const readManifest = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest;
