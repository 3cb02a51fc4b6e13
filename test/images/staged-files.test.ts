import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundledPackages } from '../../k8s/images/sbom.ts';
import { services, stageService } from '../../k8s/images/stage-service.ts';
import { eventually } from '../eventually.ts';
import { startRedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
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
  for (const service of services) stageService(service, join(out, service), epoch);
  installation = await createInstallation((service, env) =>
    startCommand([process.execPath, ...commandOf(service)], { cwd: join(out, service), env }),
  );
}, 120_000);
afterAll(async () => {
  await installation.stop();
  rmSync(out, { recursive: true });
});

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
  stageService('relay', again, epoch);
  for (const { path, entry } of filesOf('relay')) {
    expect(statSync(join(again, path)).mtimeMs).toBe(epoch * 1000);
    if (entry.isFile())
      expect(readFileSync(join(again, path)).equals(readFileSync(join(out, 'relay', path)))).toBe(true);
  }
  rmSync(again, { recursive: true });
});
