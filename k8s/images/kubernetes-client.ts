import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const kubernetesClient = '@kubernetes/client-node';
const folder = join('node_modules', kubernetesClient);

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

/** The part of @kubernetes/client-node that the broker uses. */
export interface BundledClient {
  readonly code: string;
  /** Dependencies of the package that this part imports. */
  readonly imports: readonly string[];
}

/**
 * Bundles the part of @kubernetes/client-node that the broker uses into one file. The package has generated classes for all of
 * the Kubernetes API, 24 MB; the broker needs three of them. Its dependencies stay packages of their own.
 */
export async function bundleKubernetesClient(): Promise<BundledClient> {
  const source = readFileSync(join(root, 'services/broker/src/kubernetes/client.ts'), 'utf8');
  const names = [...new Set(Array.from(source.matchAll(/\bclient\.(\w+)/g), ([, name = '']) => name))];
  const entry = 'virtual:kubernetes-client';
  const result = await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'entry',
        enforce: 'pre',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) =>
          id === entry
            ? `export { ${names.toSorted().join(', ')} } from ${JSON.stringify(join(root, folder, 'dist/index.js'))};`
            : undefined,
      },
    ],
    build: {
      ssr: true,
      write: false,
      minify: false,
      rolldownOptions: {
        input: entry,
        external: (id) => id !== entry && !/^[./]/.test(id),
        treeshake: { moduleSideEffects: false },
        // The package's documentation is in its comments.
        output: { comments: false },
      },
    },
  });
  const chunk = [result].flat().flatMap((one) => ('output' in one ? one.output : []))[0];
  if (chunk?.type !== 'chunk') throw new Error(`${kubernetesClient} can't be bundled.`);
  const { dependencies } = readManifest(join(root, folder, 'package.json'));
  return {
    code: chunk.code,
    imports: Object.keys(dependencies).filter((name) => chunk.imports.includes(name)),
  };
}

/** Writes the bundle in place of the package's code, and removes the dependencies that it doesn't import. */
export function stageKubernetesClient({ code, imports }: BundledClient, out: string): void {
  const index = join(out, folder, 'dist/index.js');
  mkdirSync(dirname(index), { recursive: true });
  writeFileSync(index, code);
  const path = join(out, folder, 'package.json');
  const manifest = readManifest(join(root, folder, 'package.json'));
  const dependencies = Object.fromEntries(
    Object.entries(manifest.dependencies).filter(([name]) => imports.includes(name)),
  );
  writeFileSync(path, `${JSON.stringify({ ...manifest, dependencies }, null, 2)}\n`);
}

const readManifest = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest;
