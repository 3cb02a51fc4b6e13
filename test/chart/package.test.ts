import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { commandsOf } from '../docs/command-checks.ts';
import { checkedValues } from '../docs/commands.ts';
import { startOciRegistry, type OciRegistry } from '../fakes/oci-registry.ts';
import { describeWith } from '../needs.ts';
import { chartFolder } from './chart-folder.ts';
import { render, runHelmTemplate } from './render.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface ChartFile {
  readonly [field: string]: unknown;
  readonly version: string;
  readonly appVersion: string;
  readonly home: string;
  readonly sources: readonly string[];
  readonly icon: string;
  readonly annotations: Readonly<Record<string, string>>;
}
const chart = parse(readFileSync(`${chartFolder}Chart.yaml`, 'utf8')) as ChartFile;

describe('Chart.yaml', () => {
  test('has the version of the program', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(chart).toMatchObject({ version, appVersion: version });
  });

  test('links only to files that exist', () => {
    const [source = ''] = chart.sources;
    const links = parse(chart.annotations['artifacthub.io/links'] ?? '') as { url: string }[];
    const files = [
      chart.icon.replace(`${source.replace('github.com', 'raw.githubusercontent.com')}/main/`, ''),
      ...links.map(({ url }) => url.replace(`${source}/blob/main/`, '')),
    ];
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    expect(chart.home).toBe(source);
  });
});

describeWith('helm')('the packaged chart', () => {
  let folder: string;
  let registry: OciRegistry;
  const run = (program: string, args: readonly string[]) =>
    promisify(execFile)(program, args, {
      cwd: folder,
      // Without the registries to which the user has signed in.
      env: { ...process.env, HELM_REGISTRY_CONFIG: join(folder, 'registry.json') },
    });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'porthole-package-'));
    registry = await startOciRegistry();
    await run('npm', ['--prefix', root, 'run', 'chart:package', '--', '--destination', join(folder, 'dist')]);
  });
  afterAll(async () => {
    await registry.stop();
    rmSync(folder, { recursive: true });
  });

  test('names in Chart.yaml the images that it runs', () => {
    const images = render('evaluation').flatMap(({ spec }): string[] =>
      (spec?.template?.spec.containers ?? []).map(({ image }: { image: string }) => image),
    );
    const named = parse(chart.annotations['artifacthub.io/images'] ?? '') as { image: string }[];
    expect(named.map(({ image }) => image).toSorted()).toEqual(images.toSorted());
  });

  test('contains what an installation needs, and no values files for tests', async () => {
    const { stdout } = await run('tar', ['-tzf', `dist/porthole-${chart.version}.tgz`]);
    const files = stdout.trim().split('\n');
    for (const name of ['Chart.yaml', 'values.yaml', 'values.schema.json', 'README.md', 'files/rules.yaml'])
      expect(files).toContain(`porthole/${name}`);
    expect(files.filter((name) => name.startsWith('porthole/ci/'))).toEqual([]);
  });

  test('renders from an OCI registry as from its folder, with the commands of docs/air-gapped.md', async () => {
    writeFileSync(join(folder, 'values.yaml'), checkedValues('docs/install.md'));
    const [push, install, ...others] = commandsOf('helm')
      .filter(({ line }) => line.includes('oci://'))
      .map(({ line }) => line.replace('oci://registry.example.org', `oci://${registry.address}`).split(' '));
    expect(others).toEqual([]);
    await run('helm', [...(push ?? []).slice(1), '--plain-http']);
    expect(install?.slice(0, 2)).toEqual(['helm', 'install']);
    const options = ['--plain-http', '--kube-version', '1.34.0'];
    const { stdout } = await run('helm', ['template', ...(install ?? []).slice(2), ...options]);
    const local = runHelmTemplate(undefined, parse(checkedValues('docs/install.md')) as object);
    // Without generated passwords, both are the same.
    expect(stdout).toBe(local.text);
  });
});
