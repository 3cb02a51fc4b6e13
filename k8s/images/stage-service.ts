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
import {
  bundleKubernetesClient,
  kubernetesClient,
  stageKubernetesClient,
  type BundledClient,
} from './kubernetes-client.ts';
import { npmCommand } from './npm-command.ts';
import { allDependencies, reachablePackages, type LockedPackage } from './reachable-packages.ts';
import { createSbom } from './sbom.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Each service has an image and a workspace of the same name. */
export const services = ['broker', 'relay', 'standalone'] as const;
export type Service = (typeof services)[number];

/** Files that Node.js doesn't need at run time. Licenses are kept. */
const unneededFiles = /\.(d\.[cm]?ts|ts|tsx|map|md|markdown|tsbuildinfo)$/;
/** Folders of packages that Node.js doesn't need at run time. */
const unneededFolders = /^(test|tests|docs|examples?|benchmarks?|\.github)$/;

/**
 * Copies the files of an image's /app to a folder: the compiled service, the web pages, the packages that it needs at run time
 * and the SBOM. Requires `npm ci` and `npm run build`, but no network, so that tests stage the same files as the Dockerfile.
 */
export async function stageService(service: Service, out: string, epochSeconds: number): Promise<void> {
  const { version, license } = readManifest(join(root, 'package.json'));
  mkdirSync(out, { recursive: true });
  // `npm sbom` needs it to find the workspaces.
  const manifest = {
    name: `porthole-${service}`,
    version,
    private: true,
    license,
    workspaces: ['services/*'],
  };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
  if (service === 'relay') for (const path of packagesOf(service)) copy(path, out);
  else {
    const client = await bundleKubernetesClient();
    for (const path of packagesOf(service, client)) copy(path, out);
    stageKubernetesClient(client, out);
  }
  for (const name of workspacesOf(service)) {
    copy(`services/${name}/dist`, out);
    cpSync(join(root, `services/${name}/package.json`), join(out, `services/${name}/package.json`));
    linkWorkspace(`services/${name}`, out);
  }
  if (service !== 'relay') copy('services/broker/web/dist', out);
  writeFileSync(join(out, 'sbom.cdx.json'), createSbom(service, out, epochSeconds));
  setTimes(out, epochSeconds);
}

/** Workspaces that a service consists of. */
function workspacesOf(service: Service): readonly string[] {
  if (service === 'standalone') return ['shared', 'broker', 'relay', 'standalone'];
  return ['shared', service];
}

/**
 * Paths of the packages that a service needs at run time, such as `node_modules/pino`, as listed by npm. Without those that
 * only the unused part of the Kubernetes client needs.
 */
function packagesOf(service: Service, client?: BundledClient): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  const needed = reachablePackages(
    packages,
    workspacesOf(service).map((name) => `services/${name}`),
    (path) =>
      path === `node_modules/${kubernetesClient}` && client
        ? client.imports
        : allDependencies(packages[path]),
  );
  const [command, ...npmArgs] = npmCommand();
  const args = ['ls', '--workspace', `services/${service}`, '--omit=dev', '--all', '--parseable'];
  const { stdout, stderr } = spawnSync(command, [...npmArgs, ...args], { cwd: root, encoding: 'utf8' });
  const paths = stdout
    .split('\n')
    .map((path) => relative(root, path))
    // Excludes packages that aren't in the lockfile, such as manually installed ones.
    .filter((path) => path.includes('node_modules/') && packages[path] && !packages[path].link)
    .filter((path) => !packages[path]?.dev && needed.has(path));
  if (paths.length === 0) throw new Error(`npm lists no packages for ${service}:\n${stderr}`);
  return paths;
}

function copy(path: string, out: string): void {
  cpSync(join(root, path), join(out, path), {
    recursive: true,
    dereference: true,
    filter: (from) =>
      !unneededFiles.test(from) &&
      !(dirname(from) === join(root, path) && unneededFolders.test(basename(from))) &&
      // The bundle takes the place of its code.
      from !== join(root, 'node_modules', kubernetesClient, 'dist') &&
      // npm lists nested packages separately. `.vite` is the build cache.
      !(from !== join(root, path) && /^(node_modules|\.vite)$/.test(basename(from))),
  });
}

/** Links a workspace into node_modules, as npm does. */
function linkWorkspace(path: string, out: string): void {
  const { name } = readManifest(join(root, path, 'package.json'));
  const linkPath = join(out, 'node_modules', name);
  mkdirSync(dirname(linkPath), { recursive: true });
  symlinkSync(relative(dirname(linkPath), join(out, path)), linkPath);
}

/** Sets the modification time of all files and folders, so that builds of the same commit are identical. */
function setTimes(path: string, epochSeconds: number): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const entryPath = join(path, entry.name);
    if (entry.isDirectory()) setTimes(entryPath, epochSeconds);
    else lutimesSync(entryPath, epochSeconds, epochSeconds);
  }
  lutimesSync(path, epochSeconds, epochSeconds);
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

const readManifest = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest;
