import type { AuditEvent } from '@porthole/shared/audit/events';
import { systemRandom } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import { mintGrant } from '@porthole/shared/grant/grant';
import { createTerminationOrders } from '@porthole/shared/session/termination-orders';
import { createReopenableSessions } from '@porthole/shared/session/reopenable-sessions';
import { createSessionRecords } from '@porthole/shared/session/records';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { leaseNames } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { LeaseStore, RecordStore } from '@porthole/shared/store/ports';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { noTracing } from '@porthole/shared/telemetry/tracing';
import { createRelayMetrics } from '@porthole/relay/metrics';
import { ConsoleSession } from '@porthole/relay/session/console-session';
import { createObserverNotifier } from '@porthole/relay/session/observers';
import { createFrameBatcher } from '@porthole/relay/stream/frame-batcher';
import type { LinkHandler } from '@porthole/relay/stream/link';
import { createLinkGauges } from '@porthole/relay/stream/link-gauges';
import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';
import type { DialledConsole, DialRequest } from '@porthole/relay/upstream/dial';
import type { RelayCluster } from '@porthole/relay/upstream/machine';
import { createRecentEnds } from '@porthole/relay/upstream/recent-ends';
import type { MachineLink } from '@porthole/relay/upstream/proxmox-link';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant, testOrigin } from '../rig.ts';
import { createMemoryViewer } from '../viewer/memory-viewer.ts';
import { relayReadings } from '../relay-readings.ts';

/** The machine's side of one console, in memory. */
function createMachine() {
  let handler: LinkHandler | undefined;
  let ended = false;
  const counts = { destroyed: 0, sent: 0 };
  return {
    counts,
    link: {
      buffered: 0,
      framesSent: 0,
      send: (source: Buffer, start = 0, end = source.length) => (counts.sent += end - start) >= 0,
      pause() {},
      resume() {},
      setHandler(next: LinkHandler) {
        handler = next;
        if (ended) next.onEnded();
      },
      ping() {},
      destroy: () => void counts.destroyed++,
    } satisfies MachineLink,
    sends: (bytes: Buffer) => void (ended || handler?.onBytes(bytes, 0, bytes.length)),
    closes() {
      ended = true;
      handler?.onEnded();
    },
  };
}

/**
 * One session of a relay in which everything happens at the test's command: what the viewer and the machine send, when
 * Proxmox and the store answer, and what time it is. Only Proxmox and both connections are simulated.
 */
export async function createLifecycleWorld() {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  const keys = () => ['k'.repeat(40)];
  let answer: 'now' | 'never' | 'later' = 'now';
  let held: (() => void)[] = [];
  /** Every call to the store waits while answers are held, and fails while it is away. */
  const guard = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const method: unknown = Reflect.get(object, name);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          if (answer === 'later') await new Promise<void>((resolve) => held.push(resolve));
          if (answer === 'never') throw new PortholeError('store_unavailable');
          return Reflect.apply(method, object, args) as unknown;
        };
      },
    });
  const records = guard<RecordStore>(store.records);
  const leases = guard<LeaseStore>(store.leases);
  const signals = createConsoleSignals({ bus: store.signals, keys, random: systemRandom, clock });
  const orders = { signals, keys, random: systemRandom, clock };
  const sessions = createSessionRecords({ records, leases, keys, random: systemRandom });
  const observers = createObserverNotifier({
    sessions,
    walls: { usersWatching: async () => [] },
    signals,
    clock,
  });
  const registry = createRegistry();
  const metrics = createRelayMetrics(registry, { ...relayReadings, maxSessions: 1 });
  const audited: AuditEvent[] = [];
  const logged: string[] = [];
  const machine = createMachine();
  const dials: (DialRequest & { settle: (result: DialledConsole | PortholeError) => void })[] = [];
  const cluster = {
    name: 'lab',
    client: {
      get: () => Promise.reject(new PortholeError('proxmox_unreachable')),
      entry: () => ({ base: new URL('https://pve1:8006') }),
    },
    nodes: { hostOf: async () => ({ base: new URL('https://pve1:8006') }) },
  } as unknown as RelayCluster;

  const claims = aGrant(clock, {
    sessionId: 'session-1',
    limits: { ...aGrant(clock).limits, perUser: 5, parkSeconds: 10 },
  });
  const token = await mintGrant({ records: store.records, keys, random: systemRandom, clock }, claims);
  const linkGauges = createLinkGauges();
  let openStreams = 0;
  let released = false;
  let dialEnded: 'open' | 'failed' | undefined;
  let session: ConsoleSession | undefined;
  const browser = createMemoryViewer({
    batcher: createFrameBatcher(),
    clock,
    onText: (text) => session?.onText(text),
  });
  session = new ConsoleSession(
    {
      records,
      leases,
      sessions,
      signals,
      observers,
      control: {
        register: () => ({
          hasControl: false,
          known: Promise.resolve(),
          ask() {},
          release() {},
          stop() {},
        }),
      },
      joinClasses: () => undefined,
      recordings: undefined,
      reopenable: createReopenableSessions(leases),
      keys,
      clock,
      metrics,
      recentEnds: createRecentEnds(clock),
      linkGauges: counted(),
      terminations: createTerminationOrders({ records, ...orders }),
      random: systemRandom,
      relayId: 'relay-1',
      origins: new Set([testOrigin]),
      log: createLog({
        service: 'relay',
        level: 'debug',
        destination: { write: (line) => void logged.push(line) },
      }),
      audit: (event) => void audited.push(event),
      tracing: noTracing,
      deadlines: defaultDeadlines,
      viewerHandshakeMs: defaultDeadlines.viewerHandshake,
      clusters: new Map([['lab', cluster]]),
      dial: (request) =>
        new Promise((resolve, reject) => {
          dials.push({
            ...request,
            settle(result) {
              dialEnded ??= result instanceof Error ? 'failed' : 'open';
              if (result instanceof Error) reject(result);
              else resolve(result);
            },
          });
        }),
    },
    browser.viewer,
    { token, origin: testOrigin },
  );
  const unsubscribe = signals.subscribe((signal) => {
    if (signal.type === 'superseded') session.onSuperseded(signal);
    else if (signal.type === 'terminate') session.onTermination(signal);
  });

  function counted() {
    return {
      ...linkGauges,
      add(links: Parameters<typeof linkGauges.add>[0]) {
        openStreams++;
        const remove = linkGauges.add(links);
        return () => {
          openStreams--;
          remove();
        };
      },
    };
  }

  return {
    clock,
    store,
    session,
    browser,
    machine,
    audited,
    registry,
    openStreams: () => openStreams,
    /** Lets everything that can go on go on. */
    async settle() {
      for (let turn = 0; turn < 12; turn++) await new Promise(setImmediate);
    },
    storeAnswers(how: 'now' | 'never' | 'later') {
      answer = how;
      if (how === 'later') return;
      const waiting = held;
      held = [];
      for (const go of waiting) go();
    },
    /** An operator ends the user's consoles. */
    order: () =>
      createTerminationOrders({ records: store.records, ...orders }).issue(
        { kind: 'user', ref: claims.user.id },
        'ended_by_operator',
      ),
    /** The session resumes at another relay. */
    resumeElsewhere: () =>
      signals.publish({ type: 'superseded', sessionId: claims.sessionId, generation: 1 }),
    dialling: () => dials[0],
    /** What came of the dial; undefined while it is under way, or if it was never begun. */
    dialEnded: () => dialEnded,
    /** Proxmox has opened the console, maybe too late. */
    dialled() {
      try {
        dials[0]?.onStep('authenticate');
      } catch {
        // The session has ended meanwhile; the answer comes all the same.
      }
      dials[0]?.settle({
        link: machine.link,
        takeLeftover: () => Buffer.alloc(0),
        machine: { cluster, node: 'pve1' },
        way: 'pass_through',
        release() {
          if (!released) machine.link.destroy();
          released = true;
        },
      });
    },
    leases: () =>
      Promise.all(
        [
          leaseNames.user(claims.user.id),
          leaseNames.machine('lab', 100),
          leaseNames.relay('relay-1'),
          leaseNames.allSessions,
        ].map((name) => store.leases.count(name)),
      ),
    record: () =>
      createSessionRecords({ records: store.records, leases: store.leases, keys, random: systemRandom }).find(
        'session-1',
      ),
    stop: unsubscribe,
  };
}

export type LifecycleWorld = Awaited<ReturnType<typeof createLifecycleWorld>>;
