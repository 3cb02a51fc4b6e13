import { compileAccess } from '@porthole/broker/access/compile';
import { createClassStarter } from '@porthole/broker/classes/class-starter';
import { createTimetable } from '@porthole/broker/classes/timetable';
import type { Machine } from '@porthole/broker/machines/machine';
import type { AuditEvent } from '@porthole/shared/audit/events';
import { createTimetableWorks } from '@porthole/shared/class/timetable-works';
import { accessDocument } from '@porthole/shared/config/access-schema';
import { systemRandom } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import type { ProxmoxClient } from '@porthole/shared/proxmox/client';
import { leaseNames } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createLog } from '@porthole/shared/telemetry/log';
import type { Clock } from '@porthole/shared/time/clock';
import { createFakeClock } from '../../fakes/clock.ts';
import { keys } from '../sessions/fixtures.ts';

/** Wednesdays from 8 to 9:30, in winter from 7:00Z to 8:30Z. */
export const wednesday = { timeZone: 'Europe/Berlin', days: ['wed'], hours: '08:00-09:30' };
export const minute = 60_000;

export function aClass(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: 'lab',
    members: { groups: ['lab'] },
    machines: { tags: ['lab'] },
    own: ['lab-{user}'],
    when: wednesday,
    prepare: { startMinutes: 10 },
    after: { shutdownMinutes: 30 },
    ...over,
  };
}

export function compileClasses(classes: readonly Record<string, unknown>[]) {
  return compileAccess(accessDocument.parse({ classes })).classes;
}

interface SimulatedBroker {
  start(): void;
  stop(): Promise<void>;
  /** It does nothing any more, and releases nothing. */
  crash(): void;
  /** It crashes at the call with this number from now on: to the store or to Proxmox. */
  crashAtCall(call: number): void;
  /** Its clock differs by this. */
  skew: number;
  readonly isCrashed: boolean;
}

/** Brokers with one store and one Proxmox, whose tasks take `taskMs`. */
export async function aTimetableWorld(options: {
  readonly start: string;
  readonly machines?: number;
  readonly classes?: readonly Record<string, unknown>[];
  readonly taskMs?: number;
}) {
  const clock = createFakeClock(Date.parse(options.start));
  const store = createMemoryStore({ clock });
  await store.start();
  const classes = compileClasses(options.classes ?? [aClass()]);
  const statuses = new Map(
    Array.from({ length: options.machines ?? 4 }, (_, index) => [100 + index, 'stopped']),
  );
  const audited: AuditEvent[] = [];
  /** What Proxmox has done: "start 100". */
  const done: string[] = [];
  const failing = new Set<number>();
  const tasks = new Map<string, { readonly until: number; readonly failed: boolean }>();
  let busyAtNode = new Map<string, number>();
  const most = { atNode: 0 };
  let proxmoxUp = true;
  const settings = { storeUp: true };
  const nodeOf = (vmid: number) => `pve${1 + (vmid % 2)}`;

  const machines = (): readonly Machine[] =>
    [...statuses].map(([vmid, status]) => ({
      cluster: 'school',
      node: nodeOf(vmid),
      type: 'qemu',
      vmid,
      name: `lab-${vmid}`,
      status,
      tags: vmid % 3 === 0 ? ['lab', 'shared'] : ['lab'],
      pool: undefined,
    }));

  const settle = async () => {
    for (let turn = 0; turn < 60; turn++) await Promise.resolve();
  };

  const client = {
    async post({ path }: { path: string }) {
      if (!proxmoxUp) throw new PortholeError('proxmox_unreachable');
      const [, vmidText = '', action = ''] = /\/qemu\/(\d+)\/status\/(\w+)$/.exec(path) ?? [];
      const vmid = Number(vmidText);
      const upid = `UPID:${nodeOf(vmid)}:${tasks.size}:`;
      const failed = failing.has(vmid);
      tasks.set(upid, { until: clock.now() + (options.taskMs ?? 5000), failed });
      const atNode = (busyAtNode.get(nodeOf(vmid)) ?? 0) + 1;
      busyAtNode.set(nodeOf(vmid), atNode);
      most.atNode = Math.max(most.atNode, atNode);
      done.push(`${action} ${vmid}`);
      if (!failed)
        clock.after(options.taskMs ?? 5000, () =>
          statuses.set(vmid, action === 'start' ? 'running' : 'stopped'),
        );
      clock.after(options.taskMs ?? 5000, () =>
        busyAtNode.set(nodeOf(vmid), (busyAtNode.get(nodeOf(vmid)) ?? 1) - 1),
      );
      return { data: upid };
    },
    async get({ path }: { path: string }) {
      const upid = decodeURIComponent(/tasks\/([^/]+)\//.exec(path)?.[1] ?? '');
      const task = tasks.get(upid);
      if (!task || clock.now() < task.until) return { data: { status: 'running' } };
      return { data: { status: 'stopped', exitstatus: task.failed ? 'command failed' : 'OK' } };
    },
  };

  function aBroker(brokerId: string): SimulatedBroker {
    let crashed = false;
    let callsLeft = Infinity;
    const own: SimulatedBroker & { component?: ReturnType<typeof createTimetable> } = {
      skew: 0,
      get isCrashed() {
        return crashed;
      },
      start: () => void component.start?.(),
      async stop() {
        await Promise.all([component.stop?.(), starter.component.stop?.()]);
      },
      crash: () => void (crashed = true),
      crashAtCall: (call) => void (callsLeft = call),
    };
    /** A call of a crashed broker has no effect and no answer. */
    const alive =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> => {
        if (--callsLeft <= 0) crashed = true;
        if (crashed) return new Promise<R>(() => {});
        return call(...args);
      };
    const toStore = <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      alive((...args: A) =>
        settings.storeUp ? call(...args) : Promise.reject(new PortholeError('store_unavailable')),
      );
    const ownClock: Clock = {
      now: () => clock.now() + own.skew,
      after: (ms, fn) => clock.after(ms, () => void (crashed || fn())),
    };
    const log = createLog({ service: 'broker', level: 'silent' });
    const records = {
      get: toStore(store.records.get),
      put: toStore(store.records.put),
      add: toStore(store.records.add),
      replace: toStore(store.records.replace),
      delete: toStore(store.records.delete),
    };
    const leases = {
      tryAcquire: toStore(store.leases.tryAcquire),
      release: toStore(store.leases.release),
      count: toStore(store.leases.count),
    };
    const starter = createClassStarter({
      starts: { write: alive(async () => {}) },
      leases,
      clients: new Map([
        ['school', { post: alive(client.post), get: alive(client.get) } as unknown as ProxmoxClient],
      ]),
      clock: ownClock,
      log,
      brokerId,
    });
    const component = createTimetable({
      access: () => ({ classes }),
      directory: {
        list: alive(async () => {
          if (!proxmoxUp) throw new PortholeError('proxmox_unreachable');
          return { machines: machines(), stale: false, staleSeconds: undefined, incomplete: false };
        }),
        find: alive(async (_cluster: string, vmid: number) => {
          const found = proxmoxUp && machines().find((each) => each.vmid === vmid);
          if (!found) throw new PortholeError('machine_not_found');
          return found;
        }),
      },
      works: createTimetableWorks({ records, leases, keys, random: systemRandom }),
      starter,
      leases,
      clock: ownClock,
      log,
      metrics: { timetableAction() {}, observeTimetableLeader() {} },
      audit: (event) => void (crashed || audited.push(event)),
      brokerId,
    });
    return own;
  }

  return {
    clock,
    statuses,
    audited,
    done,
    failing,
    most,
    aBroker,
    /** Steps of five seconds. */
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 5000) {
        clock.advance(Math.min(5000, left));
        // oxlint-disable-next-line no-await-in-loop
        await settle();
      }
    },
    async passUntil(time: string) {
      await this.pass(Date.parse(time) - clock.now());
    },
    setProxmoxUp: (up: boolean) => void (proxmoxUp = up),
    setStoreUp: (up: boolean) => void (settings.storeUp = up),
    setAll(status: string) {
      for (const vmid of statuses.keys()) statuses.set(vmid, status);
    },
    openConsole: (vmid: number) =>
      store.leases.tryAcquire(leaseNames.machine('school', vmid), `console-${vmid}`, 8, 24 * 60 * minute),
    closeConsole: (vmid: number) =>
      store.leases.release(leaseNames.machine('school', vmid), `console-${vmid}`),
  };
}
