import { setImmediate } from 'node:timers/promises';
import { connectKubernetes } from '@porthole/broker/kubernetes/client';
import { createPodDeletionCostController } from '@porthole/broker/kubernetes/pod-deletion-cost-controller';
import { createBrokerMetrics } from '@porthole/broker/metrics';
import type { LifecycleComponent } from '@porthole/shared/process/lifecycle';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { createFakeClock } from '../../fakes/clock.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../../fakes/kubernetes/api-server.ts';
import { pointAt } from '../../fakes/kubernetes/kube-config.ts';
import { eventually } from '../../eventually.ts';

const costOf = (kubernetes: FakeKubernetes, pod: string) =>
  kubernetes.pods.get(pod)?.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'];

const settings = {
  namespace: 'porthole',
  leaseName: 'porthole-broker',
  relaySelector: 'app.kubernetes.io/name=porthole,app.kubernetes.io/component=relay',
};

describe('the pod deletion cost controller', () => {
  const clock = createFakeClock();
  const lines: string[] = [];
  const log = createLog({
    service: 'broker',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  const consoles = new Map<string, number>();
  let kubernetes: FakeKubernetes;
  let registry: ReturnType<typeof createRegistry>;
  let controllers: LifecycleComponent[];

  async function startController(identity: string): Promise<LifecycleComponent> {
    registry = createRegistry();
    const controller = createPodDeletionCostController({
      connect: () =>
        connectKubernetes(settings, (config) => pointAt(config, kubernetes.url, 'a-service-account-token')),
      identity,
      countConsoles: async (relay) => consoles.get(relay) ?? 0,
      clock,
      log,
      metrics: createBrokerMetrics(registry),
    });
    controllers.push(controller);
    await controller.start?.();
    return controller;
  }
  const holder = () =>
    (kubernetes.lease('porthole-broker')?.['spec'] as { holderIdentity: string } | undefined)?.holderIdentity;
  const watching = () => eventually(() => expect(kubernetes.watches()).toBe(1));
  const patches = () => kubernetes.requests.filter((line) => line.startsWith('PATCH')).length;
  const metric = async (name: string) =>
    Number(new RegExp(`^${name} (.*)$`, 'm').exec(await registry.metrics())?.[1]);

  /** Advances one minute, with the renewals of the leader, to the next round. */
  async function round(): Promise<void> {
    const renewals = () => kubernetes.requests.filter((line) => line.startsWith('PUT')).length;
    for (let second = 0; second < 60; second += 2) {
      const before = renewals();
      clock.advance(2000);
      // There is no renewal while the response to the previous one is pending.
      const patience = Date.now() + 500;
      await eventually(() => expect(renewals() > before || Date.now() > patience).toBe(true));
      await eventually(async () => expect(await metric('porthole_broker_leader')).toBe(1));
    }
  }

  beforeEach(async () => {
    kubernetes = await startFakeKubernetes();
    controllers = [];
    lines.length = 0;
    consoles.clear();
    for (const name of ['relay-1', 'relay-2', 'relay-3']) kubernetes.putPod(name);
    kubernetes.putPod('broker-1', { 'app.kubernetes.io/name': 'porthole' });
  });
  afterEach(async () => {
    for (const controller of controllers) await controller.stop?.();
    await eventually(() => expect(kubernetes.watches()).toBe(0));
    expect(clock.pending()).toBe(0);
    await kubernetes.stop();
  });

  it('writes the deletion cost of relays with consoles, and only changes', async () => {
    consoles.set('relay-1', 12).set('relay-2', 3);
    await startController('broker-1');
    await watching();
    await round();
    await eventually(() => expect(costOf(kubernetes, 'relay-1')).toBe('10'));
    await eventually(() => expect(costOf(kubernetes, 'relay-2')).toBe('1'));
    expect(costOf(kubernetes, 'relay-3')).toBeUndefined();
    expect(costOf(kubernetes, 'broker-1')).toBeUndefined();
    expect(patches()).toBe(2);

    consoles.set('relay-1', 15).set('relay-2', 0).set('relay-3', 6);
    await round();
    await eventually(() => expect(costOf(kubernetes, 'relay-3')).toBe('5'));
    await eventually(() => expect(costOf(kubernetes, 'relay-2')).toBe('0'));
    expect(patches()).toBe(4);
    await eventually(async () =>
      expect(await metric('porthole_broker_pod_deletion_costs_total{result="ok"}')).toBe(4),
    );
    expect(await metric('porthole_broker_relay_pods')).toBe(3);
  });

  it('runs in one of two brokers, and in the other after the first stops', async () => {
    const first = await startController('broker-1');
    await watching();
    await startController('broker-2');
    expect(holder()).toBe('broker-1');
    await first.stop?.();
    expect(holder()).toBe('');
    clock.advance(2000);
    await eventually(() => expect(holder()).toBe('broker-2'));
  });

  it('leaves no lease after helm uninstall: the lease belongs to the service account, also after renewals', async () => {
    await startController('broker-1');
    await watching();
    const lease = kubernetes.lease('porthole-broker');
    if (!lease) throw new Error('There is no lease.');
    lease.metadata.labels = { added: 'later' };
    const ownerReferences = [
      { apiVersion: 'v1', kind: 'ServiceAccount', name: 'porthole-broker', uid: 'uid-of-the-account' },
    ];
    expect(lease.metadata).toMatchObject({ ownerReferences });
    await round();
    expect(kubernetes.lease('porthole-broker')?.metadata).toMatchObject({
      labels: { added: 'later' },
      ownerReferences,
    });
  });

  it('stops cleanly if its permissions were deleted before', async () => {
    const controller = await startController('broker-1');
    await watching();
    kubernetes.refuse(403);
    await controller.stop?.();
    expect(lines.filter((line) => line.includes('cannot release the leader lease'))).toHaveLength(1);
  });

  it('elects a leader also if it may not look up its service account', async () => {
    kubernetes.refuse(403, /selfsubjectreviews/);
    await startController('broker-1');
    await eventually(() => expect(holder()).toBe('broker-1'));
    expect(kubernetes.lease('porthole-broker')?.metadata).toMatchObject({ ownerReferences: [] });
  });

  it('logs once that it may not write, and writes again later', async () => {
    consoles.set('relay-1', 2);
    await startController('broker-1');
    await watching();
    kubernetes.refuse(403, /^PATCH/);
    for (let minute = 0; minute < 3; minute += 1) {
      const before = patches();
      await round();
      await eventually(() => expect(patches()).toBe(before + 1));
    }
    await eventually(async () =>
      expect(await metric('porthole_broker_pod_deletion_costs_total{result="failed"}')).toBe(3),
    );
    const logged = lines.filter((line) => line.includes('deletion cost'));
    expect(logged).toHaveLength(1);
    expect(lines.join('')).not.toContain('a-service-account-token');
    kubernetes.refuse(undefined);
    await round();
    await eventually(() => expect(costOf(kubernetes, 'relay-1')).toBe('1'));
  });

  it('follows pods that are created, terminate and are deleted', async () => {
    await startController('broker-1');
    await watching();
    kubernetes.putPod('relay-4');
    kubernetes.deletePod('relay-1');
    consoles.set('relay-4', 50).set('relay-1', 50);
    await eventually(async () => expect(await metric('porthole_broker_relay_pods')).toBe(3));
    await round();
    await eventually(() => expect(costOf(kubernetes, 'relay-4')).toBe('40'));
  });

  it('restarts the watch after the API server closed or refused it', async () => {
    await startController('broker-1');
    await watching();
    kubernetes.refuse(500, /\/pods$/);
    kubernetes.cutWatches();
    await eventually(() => expect(lines.join('')).toContain('cannot watch the relay pods'));
    clock.advance(5000);
    await eventually(async () =>
      expect(await metric('porthole_broker_relay_pods_stale_seconds')).toBeGreaterThan(0),
    );
    kubernetes.refuse(undefined);
    kubernetes.putPod('relay-5');
    clock.advance(10_000);
    await watching();
    await eventually(async () => expect(await metric('porthole_broker_relay_pods')).toBe(4));
    await eventually(async () => expect(await metric('porthole_broker_relay_pods_stale_seconds')).toBe(0));
  });

  it('starts while the API server is unavailable, and finds it later', async () => {
    kubernetes.refuse(503);
    await startController('broker-1');
    await eventually(() => expect(lines.join('')).toContain('cannot access the leader lease'));
    kubernetes.refuse(undefined);
    clock.advance(2000);
    await eventually(() => expect(holder()).toBe('broker-1'));
  });

  it('starts no watch if it is stopped before the API server has answered', async () => {
    const controller = await startController('broker-1');
    await controller.stop?.();
    await setImmediate();
    expect(kubernetes.requests.filter((line) => line.endsWith('/pods'))).toEqual([]);
    expect(holder() ?? '').toBe('');
  });
});
