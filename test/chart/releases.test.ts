import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { AppsV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { describeWith } from '../needs.ts';
import { toYaml } from '../to-yaml.ts';
import { chartFolder } from './chart-folder.ts';

/** Needs no kubelet and no controllers: the pods need not run. */
describeWith('helm', 'kubernetes')('releases at a real API server', () => {
  const name = 'porthole-relay';
  let namespace: string;
  let apps: AppsV1Api;
  let core: CoreV1Api;
  beforeEach(() => {
    namespace = `porthole-test-${randomUUID().slice(0, 8)}`;
    const config = new KubeConfig();
    config.loadFromDefault();
    apps = config.makeApiClient(AppsV1Api);
    core = config.makeApiClient(CoreV1Api);
  });
  afterEach(async () => {
    helm(['uninstall', 'porthole', '--ignore-not-found']);
    await core.deleteNamespace({ name: namespace });
  }, 60_000);

  function helm(args: readonly string[], values: object = {}): { status: number | null; text: string } {
    const { status, stdout, stderr } = spawnSync('helm', ['--namespace', namespace, ...args], {
      encoding: 'utf8',
      input: toYaml(values),
    });
    return { status, text: stdout + stderr };
  }
  /** Installs or upgrades the release with ci/production-values.yaml and more values. */
  function apply(values: object) {
    // Without custom resources, which the cluster may not know.
    const builtIn = { common: { podMonitor: { enabled: false } }, httpRoute: { enabled: false } };
    const files = ['-f', `${chartFolder}ci/production-values.yaml`, '-f', '-'];
    const args = ['upgrade', '--install', '--create-namespace', 'porthole', chartFolder, ...files];
    return helm(args, { ...builtIn, ...values });
  }
  const relays = () => apps.readNamespacedDeployment({ name, namespace });
  const replicas = async () => (await relays()).spec?.replicas;
  const scale = (count: number) =>
    apps.replaceNamespacedDeploymentScale({
      name,
      namespace,
      body: { metadata: { name, namespace }, spec: { replicas: count } },
    });

  test('keep the number of relays when autoscaling is enabled, and at later upgrades', async () => {
    const fixed = apply({ relay: { replicaCount: 4, autoscaling: { enabled: false } } });
    expect(fixed).toMatchObject({ status: 0 });
    await scale(6);
    expect(apply({})).toMatchObject({ status: 0 });
    expect(await replicas()).toBe(6);
    await scale(9);
    expect(apply({ config: { logLevel: 'debug' } })).toMatchObject({ status: 0 });
    expect(await replicas()).toBe(9);
  }, 120_000);

  test('keep the number of relays at a rollback, if autoscaling was on from the beginning', async () => {
    expect(apply({})).toMatchObject({ status: 0 });
    await scale(5);
    expect(apply({ config: { logLevel: 'debug' } })).toMatchObject({ status: 0 });
    await scale(9);
    expect(helm(['rollback', 'porthole'])).toMatchObject({ status: 0 });
    expect(await replicas()).toBe(9);
  }, 120_000);

  test('change nothing if the configuration has a typo', async () => {
    expect(apply({})).toMatchObject({ status: 0 });
    const { metadata } = await relays();
    const { status, text } = apply({ config: { limits: { drainSecond: 30 } } });
    expect(status).not.toBe(0);
    expect(text).toContain("at '/config/limits': additional properties 'drainSecond' not allowed");
    expect((await relays()).metadata?.generation).toBe(metadata?.generation);
  }, 120_000);

  test('leave nothing that an old pod needs to an upgrade: its template has the whole configuration', async () => {
    expect(apply({})).toMatchObject({ status: 0 });
    const before = (await relays()).spec?.template;
    expect(apply({ config: { logLevel: 'debug' } })).toMatchObject({ status: 0 });
    expect((await relays()).spec?.template).not.toEqual(before);
    const { items } = await core.listNamespacedConfigMap({ namespace });
    expect(items.map(({ metadata }) => metadata?.name).filter((one) => one !== 'kube-root-ca.crt')).toEqual(
      [],
    );
    expect(before?.spec?.volumes?.every(({ secret }) => secret !== undefined)).toBe(true);
  }, 120_000);
});
