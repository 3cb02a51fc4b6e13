import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledPackages } from '../../k8s/images/sbom.ts';
import { services } from '../../k8s/images/stage-service.ts';
import { eventually } from '../eventually.ts';
import { startFakeKubernetes } from '../fakes/kubernetes/api-server.ts';
import { startRedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { toYaml } from '../to-yaml.ts';
import { startCommand } from '../standalone/service-process.ts';
import { commandOf, root } from './dockerfile.ts';
import { createInstallation, openConsole, type Installation } from './installation.ts';

/** Stages the files of the images and starts them with the commands of the images, without containers. */
const epoch = 1_700_000_000;
let out: string;
let installation: Installation;

beforeAll(async () => {
  // Staging needs the compiled services. `npm test` builds the web pages, but doesn't compile.
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], {
    cwd: root,
  });
  expect(tsc.status).toBe(0);
  out = mkdtempSync(join(tmpdir(), 'porthole-staged-'));
  stage(out);
  installation = await createInstallation((service, env) =>
    startCommand([process.execPath, ...commandOf(service)], { cwd: join(out, service), env }),
  );
}, 120_000);
afterAll(async () => {
  await installation.stop();
  rmSync(out, { recursive: true });
});

/** As the Dockerfile does. In a process of its own, because Jest's realm has other classes than the bundler expects. */
function stage(folder: string): void {
  const script = join(root, 'k8s/images/stage-images.ts');
  const { status, stderr } = spawnSync(process.execPath, [script, folder, String(epoch)], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

const filesOf = (service: string) =>
  readdirSync(join(out, service), { recursive: true, withFileTypes: true }).map((entry) => ({
    path: join(entry.parentPath, entry.name).slice(join(out, service).length + 1),
    entry,
  }));

test('standalone becomes ready and opens a console', async () => {
  const standalone = await installation.start('standalone');
  expect((await fetch(`${standalone.operations}/readyz`)).status).toBe(200);
  expect(await (await fetch(standalone.url)).text()).toContain('<html');
  expect(await openConsole(standalone, standalone)).toBe('QEMU (lab)');
  standalone.process.signal('SIGTERM');
  expect(await standalone.process.exited).toBe(0);
});

test('the bundled part of the Kubernetes client elects a leader and watches pods', async () => {
  const kubernetes = await startFakeKubernetes();
  kubernetes.putPod('relay-1');
  const config = join(out, 'kubernetes.yaml');
  const kubeconfig = join(out, 'kubeconfig.yaml');
  const relaySelector = 'app.kubernetes.io/name=porthole,app.kubernetes.io/component=relay';
  writeFileSync(
    config,
    toYaml({ instance: 'relay-1', kubernetes: { namespace: 'porthole', leaseName: 'a', relaySelector } }),
  );
  writeFileSync(
    kubeconfig,
    toYaml({
      'current-context': 'x',
      clusters: [{ name: 'c', cluster: { server: kubernetes.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'a-service-account-token' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'porthole' } }],
    }),
  );
  const standalone = await installation.start('standalone', {
    PORTHOLE_CONFIG: config,
    KUBECONFIG: kubeconfig,
  });
  await eventually('the broker leads', () =>
    JSON.stringify(kubernetes.lease('a') ?? {}).includes('"holderIdentity":"relay-1"'),
  );
  // The owner comes from the AuthenticationV1 API.
  expect(kubernetes.lease('a')?.metadata).toMatchObject({ ownerReferences: [{ kind: 'ServiceAccount' }] });
  await eventually('the broker watches the pods', () => kubernetes.watches() === 1);
  standalone.process.signal('SIGTERM');
  expect(await standalone.process.exited).toBe(0);
  await kubernetes.stop();
});

test('the images of broker and standalone contain only what they need of the Kubernetes client', () => {
  const paths = filesOf('broker').map(({ path }) => path);
  expect(paths.filter((path) => /node_modules\/(bare-|tar-fs)|client-node\/dist\/gen/.test(path))).toEqual(
    [],
  );
});

test('the sizes in docs/images.md are those of the staged files', () => {
  const page = readFileSync(join(root, 'docs/images.md'), 'utf8');
  const documented = (row: string) =>
    new RegExp(`^\\| ${row} .*$`, 'm')
      .exec(page)?.[0]
      .match(/\b\d+\b/g)
      ?.map(Number) ?? [];
  const bytesOf = (service: string) =>
    filesOf(service).reduce(
      (sum, { path, entry }) => (entry.isFile() ? sum + statSync(join(out, service, path)).size : sum),
      0,
    );
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  const application = services.map((service) => megabytes(bytesOf(service)));
  const node = megabytes(statSync(join(out, 'node')).size);
  for (const [row, measured] of [
    ['Application', application],
    ['Node', services.map(() => node)],
  ] as const) {
    expect(documented(row)).toHaveLength(services.length);
    for (const [index, size] of documented(row).entries())
      // A new version of a package changes the size a little.
      expect(Math.abs(size - (measured[index] ?? 0))).toBeLessThanOrEqual(2);
  }
  const base = documented('Default base image');
  const totals = documented('\\*\\*Total');
  expect(totals).toHaveLength(services.length);
  for (const [index, total] of totals.entries())
    expect(total).toBe(
      (documented('Application')[index] ?? 0) + (documented('Node')[index] ?? 0) + (base[index] ?? 0),
    );
});

describeWith('redis')('broker and relay', () => {
  test('become ready and open a console, and the doctor finds no faults', async () => {
    const redis = await startRedisServer();
    const broker = await installation.start('broker', { PORTHOLE_REDIS_URL: redis.url });
    const common = { PORTHOLE_REDIS_URL: redis.url, PORTHOLE_PUBLIC_URL: broker.url };
    const relay = await installation.start('relay', common);
    for (const { operations } of [broker, relay])
      await eventually(
        'the service is ready',
        async () => (await fetch(`${operations}/readyz`)).status === 200,
      );
    expect(await openConsole(broker, relay)).toBe('QEMU (lab)');
    // The command of the `helm test` pod.
    const doctor = startCommand(
      [process.execPath, 'services/broker/dist/cli/main.js', 'doctor', '--relay', relay.url],
      { cwd: join(out, 'broker'), env: { ...installation.env, ...common } },
    );
    expect({ code: await doctor.exited, output: doctor.output() }).toMatchObject({ code: 0 });
    for (const { process } of [broker, relay]) {
      process.signal('SIGTERM');
      expect(await process.exited).toBe(0);
    }
    await redis.stop();
  });
});

/** Starts a worker thread for the pictures of shared screens, and prints what it sends to a machine first: ClientInit. */
const startPictureWorker = `
import { createPictureThreads } from '@porthole/relay/screen/picture-threads';
import { systemClock } from '@porthole/shared/time/clock';
const onWorkerLost = () => { throw new Error('the worker thread has ended'); };
const threads = createPictureThreads(
  { clock: systemClock, workers: 1, tileCacheMiB: 1, onWork() {}, onWorkerLost });
const picture = threads.open({
  onPictureMessage({ event }) {
    if (event?.type !== 'toMachine') return;
    console.log(Buffer.from(event.bytes).toString('hex'));
    void threads.stop();
  },
  onPictureLost(detail) { throw new Error(detail); },
});
picture.post({ type: 'connect', connection: 1, start: 'authenticated' });
`;

test.each([
  ['relay', 'relay', []],
  ['standalone', 'standalone', []],
  ['source', undefined, ['--conditions=source', '--max-semi-space-size=4']],
] as const)('the worker thread of shared screens starts from the %s', (_, service, flags) => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, '--input-type=module', '--eval', startPictureWorker],
    { cwd: service ? join(out, service) : root, encoding: 'utf8' },
  );
  expect({ stdout, stderr }).toEqual({ stdout: '01\n', stderr: '' });
});

test('the relay image contains no files of the broker, and no image contains build dependencies', () => {
  const relay = filesOf('relay').map(({ path }) => path);
  expect(
    relay.filter((path) => /^services\/broker|node_modules\/koa|third-party-notices/.test(path)),
  ).toEqual([]);
  for (const service of services) {
    const paths = filesOf(service).map(({ path }) => path);
    expect(
      paths.filter((path) => /\.(ts|map|tsbuildinfo)$|node_modules\/(npm|typescript|vite|jest)\//.test(path)),
    ).toEqual([]);
    expect(paths).toContain('LICENSE');
  }
});

test('the SBOM of each image lists all packages with their versions, Node.js and the bundled packages', () => {
  for (const service of services) {
    const text = readFileSync(join(out, service, 'sbom.cdx.json'), 'utf8');
    const { components } = JSON.parse(text) as {
      components: { name: string; version: string; purl: string }[];
    };
    const listed = new Set(components.map(({ purl }) => decodeURIComponent(purl)));
    const packages = filesOf(service)
      .filter(({ path }) => /node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/.test(path))
      .map(({ path }) => readFileSync(join(out, service, path), 'utf8'))
      .map((text) => JSON.parse(text) as { name: string; version: string });
    expect(packages.length).toBeGreaterThan(30);
    for (const { name, version } of packages) expect(listed).toContain(`pkg:npm/${name}@${version}`);
    expect(listed).toContain(`pkg:generic/node@${process.versions.node}`);
    const bundled = [...listed].filter((purl) =>
      bundledPackages.some((name) => purl.startsWith(`pkg:npm/${name}@`)),
    );
    expect(bundled).toHaveLength(service === 'relay' ? 0 : bundledPackages.length);
  }
  const notices = readFileSync(join(out, 'broker/services/broker/web/dist/third-party-notices.txt'), 'utf8');
  for (const name of bundledPackages) expect(notices.toLowerCase()).toContain(name.replace(/^@novnc\//, ''));
});

test('staging the same files again gives identical contents and modification times', () => {
  const again = mkdtempSync(join(tmpdir(), 'porthole-staged-'));
  stage(again);
  for (const { path, entry } of filesOf('broker')) {
    expect(statSync(join(again, 'broker', path)).mtimeMs).toBe(epoch * 1000);
    if (entry.isFile())
      expect(readFileSync(join(again, 'broker', path)).equals(readFileSync(join(out, 'broker', path)))).toBe(
        true,
      );
  }
  rmSync(again, { recursive: true });
}, 120_000);
