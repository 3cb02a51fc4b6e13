import { spawnSync } from 'node:child_process';
import type { Service } from '../../k8s/images/stage-service.ts';
import { startRedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { startCommand, type ServiceProcess } from '../standalone/service-process.ts';
import { userOf } from './dockerfile.ts';
import { createInstallation, openConsole, type Installation } from './installation.ts';

const configFolder = '/etc/porthole';
const engine = process.env['IMAGES_ENGINE'] ?? 'docker';
const imageOf = (service: Service) => `ghcr.io/porthole/${service}:${process.env['IMAGES']}`;
// The client finds the daemon through these variables.
const engineEnvironment = Object.fromEntries(
  ['DOCKER_HOST', 'HOME'].map((name) => [name, process.env[name] ?? '']).filter(([, value]) => value),
) as Record<string, string>;

/** Runs a service as the chart does: read-only root file system, numeric user, no capabilities. */
function run(service: Service, env: Record<string, string>, folder: string): ServiceProcess {
  const restrictions =
    '--rm --network host --read-only --cap-drop ALL --security-opt no-new-privileges'.split(' ');
  const userAndVolume = ['--user', userOf(service), '--volume', `${folder}:${configFolder}:ro`];
  const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  return startCommand([engine, 'run', ...restrictions, ...userAndVolume, ...variables, imageOf(service)], {
    env: engineEnvironment,
  });
}

/** Runs Node.js in an image, with the given arguments. */
const runInImage = (service: Service, ...args: string[]) =>
  spawnSync(
    engine,
    ['run', '--rm', '--network', 'none', '--read-only', '--cap-drop', 'ALL', imageOf(service), ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, ...engineEnvironment },
    },
  );

describeWith('images', 'redis')('the images', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await createInstallation(run, configFolder);
  });
  afterAll(() => installation.stop());

  test('of broker and relay open a console with a real Redis, and stop on SIGTERM', async () => {
    const redis = await startRedisServer();
    const broker = await installation.start('broker', { PORTHOLE_REDIS_URL: redis.url });
    const common = { PORTHOLE_REDIS_URL: redis.url, PORTHOLE_PUBLIC_URL: broker.url };
    const relay = await installation.start('relay', common);
    for (const { operations } of [broker, relay])
      expect((await fetch(`${operations}/readyz`)).status).toBe(200);
    expect(await openConsole(broker, relay)).toBe('QEMU (lab)');
    for (const { process } of [broker, relay]) {
      process.signal('SIGTERM');
      expect(await process.exited).toBe(0);
    }
    await redis.stop();
  }, 90_000);

  test('of standalone opens a console', async () => {
    const standalone = await installation.start('standalone');
    expect(await openConsole(standalone, standalone)).toBe('QEMU (lab)');
    standalone.process.signal('SIGTERM');
    expect(await standalone.process.exited).toBe(0);
  }, 90_000);

  test.each(['broker', 'relay', 'standalone'] as const)(
    'of %s runs as the user in the Dockerfile, which has no write access',
    (service) => {
      const script =
        'const fs = require("fs"); let w = []; for (const f of ["/", "/app", "/app/node_modules", "/usr/local/bin"]) try { fs.accessSync(f, 2); w.push(f) } catch {}; console.log(JSON.stringify([process.getuid() + ":" + process.getgid(), w]))';
      expect(JSON.parse(runInImage(service, '-e', script).stdout)).toEqual([userOf(service), []]);
    },
  );

  test('of the broker contains the porthole command', () => {
    const { stdout, stderr } = runInImage('broker', 'services/broker/dist/cli/main.js', '--help');
    expect(`${stdout}${stderr}`).toContain('user add');
  });
});
