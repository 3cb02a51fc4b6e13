import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { startRedisServer, type RedisServer } from '../fakes/redis-server.ts';
import { createInstallation, openConsole, type Installation, type Running } from '../images/installation.ts';
import { describeWith } from '../needs.ts';
import { startCommand, startProcess, type ServiceProcess } from '../standalone/service-process.ts';
import { toYaml } from '../to-yaml.ts';
import { dashboardQueries, rulesFile } from './files.ts';

interface ApiResponse<T> {
  readonly status: string;
  readonly error?: string;
  readonly data: T;
}
interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

describeWith('prometheus', 'redis')('a real Prometheus', () => {
  let folder: string;
  let redis: RedisServer;
  let installation: Installation;
  let broker: Running;
  let relay: Running;
  let prometheus: ServiceProcess;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'porthole-prometheus-'));
    redis = await startRedisServer();
    installation = await createInstallation((service, env) =>
      startProcess(`services/${service}/src/main.ts`, [], env),
    );
    broker = await installation.start('broker', { PORTHOLE_REDIS_URL: redis.url });
    relay = await installation.start('relay', {
      PORTHOLE_REDIS_URL: redis.url,
      PORTHOLE_PUBLIC_URL: broker.url,
    });
    // With a pending period of 1 s, so that the test is fast. promtool tests the real periods.
    const rules = (await readFile(rulesFile, 'utf8')).replaceAll(/^( +)for: \w+$/gm, '$1for: 1s');
    await writeFile(join(folder, 'rules.yaml'), rules);
    const host = ({ operations }: Running) => new URL(operations).host;
    await writeFile(
      join(folder, 'prometheus.yml'),
      toYaml({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: ['rules.yaml'],
        scrape_configs: [
          {
            job_name: 'porthole',
            static_configs: [
              { targets: [host(broker)], labels: { namespace: 'consoles', pod: 'broker-1' } },
              { targets: [host(relay)], labels: { namespace: 'consoles', pod: 'relay-1' } },
            ],
          },
        ],
      }),
    );
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    prometheus = startCommand(
      [
        'prometheus',
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { env: {}, cwd: folder },
    );
    await prometheus.printed('Server is ready');
  });
  afterAll(async () => {
    prometheus.signal('SIGTERM');
    await prometheus.exited;
    await installation.stop();
    await redis.stop();
    await rm(folder, { recursive: true });
  });

  const get = async <T>(path: string) => {
    const response = (await (await fetch(`${url}${path}`)).json()) as ApiResponse<T>;
    if (response.status !== 'success') throw new Error(response.error);
    return response.data;
  };
  const query = async (expr: string) =>
    (await get<{ result: readonly Series[] }>(`/api/v1/query?query=${encodeURIComponent(expr)}`)).result;
  const firingAlerts = async () =>
    (
      await get<{ alerts: readonly { state: string; labels: Record<string, string> }[] }>('/api/v1/alerts')
    ).alerts
      .filter(({ state }) => state === 'firing')
      .map(({ labels }) => labels['alertname'] ?? '');

  test('scrapes both services and evaluates every rule without errors', async () => {
    await eventually('both services are scraped', async () => (await query('sum(up)'))[0]?.value[1] === '2');
    const { groups } = await get<{ groups: readonly { rules: readonly { health: string }[] }[] }>(
      '/api/v1/rules',
    );
    const rules = groups.flatMap(({ rules: groupRules }) => groupRules);
    expect(rules.length).toBeGreaterThan(50);
    await eventually('every rule is evaluated', async () => {
      const now = await get<{ groups: typeof groups }>('/api/v1/rules');
      return now.groups.every(({ rules: groupRules }) => groupRules.every(({ health }) => health === 'ok'));
    });
  });

  test('counts an opened console, runs every dashboard query, and no alert fires', async () => {
    expect(await openConsole(broker, relay)).toBe('QEMU (lab)');
    await eventually(
      'the open is counted',
      async () => (await query('sum(porthole_relay_opens_total{result="ok"})'))[0]?.value[1] === '1',
    );
    for (const { title, expr } of dashboardQueries()) {
      const result = await query(expr).catch((error: Error) => error.message);
      expect({ title, result }).toEqual({ title, result: expect.any(Array) });
    }
    const results = await Promise.all(dashboardQueries().map(({ expr }) => query(expr)));
    expect(results.filter((result) => result.length > 0).length).toBeGreaterThan(30);
    expect(await firingAlerts()).toEqual([]);
  });

  test('fires PortholeRelaysDown when the relay is killed', async () => {
    relay.process.signal('SIGKILL');
    await eventually('the alert fires', async () => (await firingAlerts()).includes('PortholeRelaysDown'));
    expect(await firingAlerts()).not.toContain('PortholeBrokersDown');
  });
});
