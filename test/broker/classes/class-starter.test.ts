import { createClassStarter, type MachineWork } from '@porthole/broker/classes/class-starter';
import type { Machine } from '@porthole/broker/machines/machine';
import type { ClassStart } from '@porthole/shared/class/starts';
import { PortholeError } from '@porthole/shared/errors';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createLog } from '@porthole/shared/telemetry/log';
import { createFakeClock } from '../../fakes/clock.ts';

/** Starts at a Proxmox whose tasks end when the test says so. */
async function createFixture() {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  await store.start();
  const log = createLog({ service: 'broker', level: 'silent' });
  const running = new Map<string, string>();
  const finished = new Set<string>();
  const failing = new Map<string, PortholeError>();
  let progress: ClassStart | undefined;
  const client = {
    async post({ path }: { path: string }) {
      const [, node = '', vmid = ''] = /^\/nodes\/(.+)\/qemu\/(\d+)\/status\/start$/.exec(path) ?? [];
      const error = failing.get(vmid);
      if (error) throw error;
      running.set(vmid, node);
      return { data: `UPID:${node}:${vmid}:` };
    },
    async get({ path }: { path: string }) {
      const vmid = /UPID%3A[^%]+%3A(\d+)/.exec(path)?.[1] ?? '';
      return { data: finished.has(vmid) ? { status: 'stopped', exitstatus: 'OK' } : { status: 'running' } };
    },
  } as unknown as Pick<ProxmoxClient, 'get' | 'post'>;
  const aBroker = (brokerId: string) =>
    createClassStarter({
      starts: { write: async (_name, value) => void (progress = value) },
      leases: store.leases,
      clients: new Map([['lab', client]]),
      clock,
      log,
      brokerId,
    });
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  const failed: string[] = [];
  const report: MachineWork = {
    action: 'start',
    onStarted() {},
    onFailed: ({ vmid }, { code }) => failed.push(`${vmid} ${code}`),
  };
  return {
    clock,
    aBroker,
    report,
    failed,
    failing,
    running,
    progress: () => progress,
    settle,
    /** Proxmox ends the tasks that run. */
    async finish() {
      for (const vmid of running.keys()) finished.add(vmid);
      running.clear();
      clock.advance(1000);
      await settle();
    },
    pause: async (ms: number) => {
      clock.advance(ms);
      await settle();
    },
  };
}

const machines = (count: number, nodes = 2): Machine[] =>
  Array.from({ length: count }, (_, index) => ({
    cluster: 'lab',
    node: `pve${1 + (index % nodes)}`,
    type: 'qemu',
    vmid: 100 + index,
    name: undefined,
    status: 'stopped',
    tags: [],
    pool: undefined,
  }));

test('at most two machines of a node are started at the same time, and the progress is shown', async () => {
  const fixture = await createFixture();
  const broker = fixture.aBroker('one');
  expect(await broker.begin('lab', machines(10), fixture.report)).toBe(true);
  await fixture.settle();
  const seen: number[] = [];
  for (let round = 0; fixture.running.size > 0; round++) {
    for (const node of ['pve1', 'pve2'])
      expect([...fixture.running.values()].filter((each) => each === node).length).toBeLessThanOrEqual(2);
    seen.push(fixture.running.size);
    await fixture.finish();
  }
  expect(seen).toEqual([4, 4, 2]);
  expect(fixture.progress()).toMatchObject({ total: 10, started: 10, failed: 0 });
  expect(fixture.clock.pending()).toBe(0);
});

test('two classes share the limit of a node', async () => {
  const fixture = await createFixture();
  const broker = fixture.aBroker('one');
  await broker.begin('lab', machines(4, 1), fixture.report);
  await broker.begin('other', machines(4, 1), fixture.report);
  await fixture.settle();
  let most = 0;
  for (let round = 0; round < 12; round++) {
    most = Math.max(most, fixture.running.size);
    await fixture.finish();
  }
  expect(most).toBe(2);
  expect(fixture.clock.pending()).toBe(0);
});

test('a start that goes on is not begun again, by this broker or by another one', async () => {
  const fixture = await createFixture();
  const [one, two] = [fixture.aBroker('one'), fixture.aBroker('two')];
  const begun = await Promise.all([
    one.begin('lab', machines(2), fixture.report),
    one.begin('lab', machines(2), fixture.report),
    two.begin('lab', machines(2), fixture.report),
  ]);
  expect(begun.filter(Boolean)).toHaveLength(1);
  await fixture.settle();
  await fixture.pause(60_000);
  expect(await two.begin('lab', machines(2), fixture.report)).toBe(false);
  await fixture.finish();
  expect(await two.begin('lab', machines(2), fixture.report)).toBe(true);
  await fixture.settle();
  await fixture.finish();
  expect(fixture.clock.pending()).toBe(0);
});

test('a machine that runs already counts as started, and one that cannot be started as failed', async () => {
  const fixture = await createFixture();
  fixture.failing.set('100', new PortholeError('machine_running'));
  fixture.failing.set('101', new PortholeError('machine_locked'));
  await fixture.aBroker('one').begin('lab', machines(3), fixture.report);
  await fixture.settle();
  await fixture.finish();
  expect(fixture.progress()).toMatchObject({ total: 3, started: 2, failed: 1 });
  expect(fixture.failed).toEqual(['101 machine_locked']);
});

test('a start that takes longer than a minute and a half does not hold up the others', async () => {
  const fixture = await createFixture();
  await fixture.aBroker('one').begin('lab', machines(3, 1), fixture.report);
  await fixture.settle();
  expect(fixture.running.size).toBe(2);
  for (let second = 0; second < 92; second++) await fixture.pause(1000);
  expect(fixture.running.has('102')).toBe(true);
  await fixture.finish();
});

test('a broker that stops leaves the rest to another one', async () => {
  const fixture = await createFixture();
  const [one, two] = [fixture.aBroker('one'), fixture.aBroker('two')];
  await one.begin('lab', machines(6, 1), fixture.report);
  await fixture.settle();
  await one.component.stop?.();
  expect(fixture.clock.pending()).toBe(0);
  expect([...fixture.running.keys()]).toEqual(['100', '101']);
  expect(await two.begin('lab', machines(6, 1).slice(2), fixture.report)).toBe(true);
  await fixture.settle();
  for (let round = 0; round < 4; round++) await fixture.finish();
  expect(fixture.progress()).toMatchObject({ total: 4, started: 4 });
});
