import { randomUUID } from 'node:crypto';
import { connectKubernetes } from '@porthole/broker/kubernetes/client';
import { createRelayPods } from '@porthole/broker/kubernetes/relay-pods';
import { systemClock } from '@porthole/shared/time/clock';
import { createLog } from '@porthole/shared/telemetry/log';
import { CoordinationV1Api, CoreV1Api, KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { describeWith } from '../../needs.ts';
import { eventually } from '../../eventually.ts';

const labels = { 'app.kubernetes.io/name': 'porthole', 'app.kubernetes.io/component': 'relay' };

/** Verifies the fake API server against a real one. Needs no kubelet: pods need not run. */
describeWith('kubernetes')('a real kube-apiserver', () => {
  const namespace = `porthole-test-${randomUUID().slice(0, 8)}`;
  const settings = {
    namespace,
    leaseName: 'porthole-broker',
    relaySelector: 'app.kubernetes.io/name=porthole,app.kubernetes.io/component=relay',
  };
  let core: CoreV1Api;

  beforeAll(async () => {
    const config = new KubeConfig();
    config.loadFromDefault();
    core = config.makeApiClient(CoreV1Api);
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    // A controller manager, if one runs, creates the account that pods need.
    await core
      .createNamespacedServiceAccount({ namespace, body: { metadata: { name: 'default' } } })
      .catch(() => {});
    for (const name of ['relay-1', 'relay-2'])
      await core.createNamespacedPod({
        namespace,
        body: {
          metadata: { name, labels },
          spec: { containers: [{ name: 'relay', image: 'none.invalid/none' }] },
        },
      });
  }, 60_000);
  afterAll(async () => {
    await core.deleteNamespace({ name: namespace });
  });

  it('rejects a write to a lease that has changed', async () => {
    const { lease } = await connectKubernetes(settings);
    const mine = { holder: 'a', durationSeconds: 15, transitions: 0, acquiredAt: Date.UTC(2026, 0, 1) };
    expect(await lease.read()).toBeUndefined();
    expect(await lease.write(undefined, mine)).toBe(true);
    expect(await lease.write(undefined, mine)).toBe(false);
    const seen = await lease.read();
    expect(seen).toMatchObject(mine);
    expect(await lease.write(seen, { ...mine, holder: 'b', transitions: 1 })).toBe(true);
    expect(await lease.write(seen, { ...mine, holder: 'c', transitions: 1 })).toBe(false);
    const given = await lease.read();
    expect(given).toMatchObject({ holder: 'b', transitions: 1 });
    expect(await lease.write(given, { ...mine, holder: '', durationSeconds: 1 })).toBe(true);
    expect(await lease.read()).toMatchObject({ holder: '' });
  });

  it('makes the service account the owner of the lease, and keeps it at renewals', async () => {
    const config = new KubeConfig();
    config.loadFromDefault();
    const name = 'porthole-broker';
    const rbac = config.makeApiClient(RbacAuthorizationV1Api);
    const { metadata } = await core.createNamespacedServiceAccount({
      namespace,
      body: { metadata: { name } },
    });
    const rules = [
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'get', 'update'] },
    ];
    await rbac.createNamespacedRole({ namespace, body: { metadata: { name }, rules } });
    await rbac.createNamespacedRoleBinding({
      namespace,
      body: {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    });
    const { status } = await core.createNamespacedServiceAccountToken({
      name,
      namespace,
      body: { spec: { audiences: [], expirationSeconds: 3600 } },
    });
    const cluster = config.getCurrentCluster();
    if (!cluster || !status) throw new Error('There is no cluster, or it issues no tokens.');
    const { lease } = await connectKubernetes({ ...settings, leaseName: 'owned' }, (asAccount) =>
      asAccount.loadFromOptions({
        clusters: [cluster],
        users: [{ name, token: status.token }],
        contexts: [{ name, cluster: cluster.name, user: name }],
        currentContext: name,
      }),
    );
    const mine = { holder: 'a', durationSeconds: 15, transitions: 0, acquiredAt: Date.UTC(2026, 0, 1) };
    expect(await lease.write(undefined, mine)).toBe(true);
    expect(await lease.write(await lease.read(), mine)).toBe(true);
    const stored = await config
      .makeApiClient(CoordinationV1Api)
      .readNamespacedLease({ name: 'owned', namespace });
    expect(stored.metadata?.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'ServiceAccount', name, uid: metadata?.uid },
    ]);
  });

  it('reports created and deleted relay pods, and stores their deletion cost', async () => {
    const kubernetes = await connectKubernetes(settings);
    const log = createLog({ service: 'test', level: 'silent' });
    const pods = createRelayPods({ watch: kubernetes.watchRelays, clock: systemClock, log });
    pods.start();
    try {
      const names = () =>
        pods
          .list()
          .map(({ name }) => name)
          .toSorted();
      await eventually(() => expect(names()).toEqual(['relay-1', 'relay-2']));
      await kubernetes.setDeletionCost('relay-1', 10);
      await eventually(() =>
        expect(pods.list().find(({ name }) => name === 'relay-1')?.deletionCost).toBe('10'),
      );
      await core.deleteNamespacedPod({ name: 'relay-2', namespace, body: { gracePeriodSeconds: 0 } });
      await eventually(() => expect(names()).toEqual(['relay-1']));
    } finally {
      await pods.stop();
    }
  });
});
