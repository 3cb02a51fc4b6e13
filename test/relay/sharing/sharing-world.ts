import { PortholeError, type ErrorCode } from '@porthole/shared/errors';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { createLog } from '@porthole/shared/telemetry/log';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { noTracing } from '@porthole/shared/telemetry/tracing';
import type { ForeignOwner, MachineOwners } from '@porthole/relay/sharing/contracts';
import { createSharingDial, type SharedConsoles } from '@porthole/relay/sharing/sharing-dial';
import { createSharingDialMetrics } from '@porthole/relay/sharing/sharing-dial-metrics';
import type { DialledConsole, DialRequest } from '@porthole/relay/upstream/dial';
import type { MachineLink } from '@porthole/relay/upstream/proxmox-link';
import type { RelayCluster } from '@porthole/relay/upstream/machine';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';
import { createMemoryConsole, createMemoryScreen, type MemoryConsole } from './memory-screen.ts';

const cluster = { name: 'lab' } as RelayCluster;

/** A dial at Proxmox that waits for the test. */
export interface PendingDial {
  readonly relay: number;
  readonly claims: GrantClaims;
  readonly request: DialRequest;
  settled: boolean;
  succeeds(): MemoryConsole;
  fails(code: ErrorCode): void;
}

/** A session as the dial sees it. */
export interface WorldViewer {
  readonly relay: number;
  /** `waiting` until the dial has answered; then how its bytes come, or why the session has ended. */
  state(): string;
  readonly notices: readonly string[];
  /** What the session sends to and reads from. */
  readonly link: MachineLink | undefined;
  readonly received: string;
  send(text: string): void;
  /** The viewer leaves, in any state. */
  leaves(): void;
}

export interface WorldOptions {
  readonly relays?: number;
  /** Whether relays can be reached by others. */
  readonly addresses?: boolean;
  readonly viewersPerScreen?: number;
  readonly screens?: number;
}

/** Relays of one installation, with Proxmox, the store, the network and the time at the test's command. */
export function createSharingWorld({
  relays: count = 1,
  addresses = true,
  viewersPerScreen = 64,
  screens: maxScreens = 100,
}: WorldOptions = {}) {
  const clock = createFakeClock();
  const records = new Map<string, { relay: number; record: string; lose: (owner: ForeignOwner) => void }>();
  const dead = new Set<number>();
  const dials: PendingDial[] = [];
  const consoles: MemoryConsole[] = [];
  const registry = createRegistry();
  const metrics = createSharingDialMetrics(registry);
  const logged: string[] = [];
  /** For each relay, what ends the viewers that others have forwarded to it. */
  const move: (() => void)[][] = Array.from({ length: count }, () => []);
  let storeAway = false;
  let prepared = Promise.resolve();
  let openScreens = 0;
  let nextRecord = 0;

  const ownersOf = (relay: number): MachineOwners => ({
    async claim({ cluster: name, vmid }, { instead }) {
      await Promise.resolve();
      if (storeAway) throw new PortholeError('store_unavailable');
      const key = `${name}/${vmid}`;
      const found = records.get(key);
      if (found && found.record !== instead?.record) {
        const owner: ForeignOwner = {
          address: addresses ? `relay-${found.relay}:8081` : undefined,
          record: found.record,
        };
        return { owner };
      }
      let onLost: (owner: ForeignOwner) => void = () => {};
      const lose = (owner: ForeignOwner) => onLost(owner);
      const mine = { relay, record: `record-${nextRecord++}`, lose };
      records.set(key, mine);
      found?.lose({ address: addresses ? `relay-${relay}:8081` : undefined, record: mine.record });
      return {
        owned: {
          onLost: (listener) => void (onLost = listener),
          async release() {
            if (records.get(key) === mine) records.delete(key);
          },
        },
      };
    },
  });

  const createRelayPart = (relay: number): SharedConsoles =>
    createSharingDial({
      clock,
      random: systemRandom,
      log: createLog({
        service: 'relay',
        level: 'debug',
        destination: { write: (line) => void logged.push(line) },
      }),
      tracing: noTracing,
      metrics,
      healMs: 120_000,
      unwatchedMs: 10_000,
      prepareScreen: () => prepared,
      control: {
        registerPlace({ setControl }) {
          setControl(true);
          return () => {};
        },
      },
      owners: ownersOf(relay),
      async forward(address, request) {
        await Promise.resolve();
        const owner = Number(address.match(/\d+/)?.[0]);
        if (dead.has(owner)) throw new PortholeError('owner_unreachable');
        const accepted = await (relays[owner] as SharedConsoles).accept(request);
        const moved = Promise.withResolvers<PortholeError>();
        move[owner]?.push(() => {
          moved.resolve(new PortholeError('screen_moved'));
          accepted.link.destroy();
        });
        return forwardedLink({ ...accepted, ended: Promise.race([accepted.ended, moved.promise]) });
      },
      openScreen({ events }) {
        if (openScreens >= maxScreens) throw new PortholeError('screen_full');
        openScreens++;
        const screen = createMemoryScreen(events, { viewers: viewersPerScreen });
        let open = true;
        return {
          get viewers() {
            return screen.viewers;
          },
          connect: (upstream) => screen.connect(upstream),
          thumbnails: 0,
          attach: (options) => screen.attach(options),
          attachThumbnail: () => screen.attachThumbnail(),
          end(error) {
            if (open) openScreens--;
            open = false;
            screen.end(error);
          },
        };
      },
      dial: (request) => dialAtProxmox(relay, request),
    });

  async function dialAtProxmox(relay: number, request: DialRequest): Promise<DialledConsole> {
    await request.mayOpen;
    request.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<DialledConsole>();
    const pending: PendingDial = {
      relay,
      claims: request.claims,
      request,
      settled: false,
      succeeds() {
        pending.settled = true;
        const console = createMemoryConsole();
        consoles.push(console);
        const { link } = console;
        resolve({
          link,
          takeLeftover: () => Buffer.alloc(0),
          machine: { cluster, node: 'pve1' },
          way: 'pass_through',
          release: () => link.destroy(),
        });
        return console;
      },
      fails(code) {
        pending.settled = true;
        reject(new PortholeError(code));
      },
    };
    request.signal.addEventListener('abort', () => {
      if (pending.settled) return;
      pending.settled = true;
      reject(request.signal.reason as Error);
    });
    dials.push(pending);
    return promise;
  }

  const relays = Array.from({ length: count }, (_, relay) => createRelayPart(relay));

  function connect(
    relay: number,
    { resumable = 'now', ...claims }: Partial<GrantClaims> & { resumable?: 'now' | 'later' | 'never' } = {},
  ): WorldViewer {
    const abort = new AbortController();
    const notices: string[] = [];
    let state = 'waiting';
    let received = '';
    let console: DialledConsole | undefined;
    const end = (reason: string) => {
      if (abort.signal.aborted) return;
      state = reason;
      abort.abort(new PortholeError('internal', { detail: reason }));
      // A session releases its console a moment later.
      const ended = console;
      void Promise.resolve().then(() => ended?.release());
    };
    void (relays[relay] as SharedConsoles)
      .dial({
        holder: 'holder',
        claims: aGrant(clock, claims),
        cluster,
        signal: abort.signal,
        onProgress() {},
        onStep: () => abort.signal.throwIfAborted(),
        onNotice: (notice) => void notices.push(notice.state),
      })
      .then(
        (dialled) => {
          if (abort.signal.aborted) {
            dialled.release();
            return;
          }
          console = dialled;
          state = dialled.way;
          dialled.link.setHandler({
            onBytes: (source, from, to) => void (received += source.toString('latin1', from, to)),
            onEnded: (error) => end(error?.code ?? 'closed'),
          });
          dialled.onStreaming?.({
            handsOver: () => (abort.signal.aborted ? 'never' : resumable),
            end: (error) => end(error.code),
          });
        },
        (error: unknown) => {
          if (!abort.signal.aborted) state = error instanceof PortholeError ? error.code : String(error);
        },
      );
    return {
      relay,
      state: () => state,
      notices,
      get link() {
        return console?.link;
      },
      get received() {
        return received;
      },
      send: (text) => void console?.link.send(Buffer.from(text)),
      leaves: () => end('left'),
    };
  }

  return {
    clock,
    relays,
    dials,
    consoles,
    logged,
    connect,
    /** Lets everything that can go on go on. */
    async settle() {
      for (let turn = 0; turn < 8; turn++) await new Promise(setImmediate);
    },
    /** Dials that Proxmox has not answered. */
    pending: () => dials.filter(({ settled }) => !settled),
    openConsoles: () => consoles.filter(({ destroyed }) => !destroyed),
    openScreens: () => openScreens,
    records: () => [...records.values()].map(({ relay }) => relay),
    /** Worker threads have not started yet. Returns what lets them. */
    holdWorkers() {
      const { promise, resolve } = Promise.withResolvers<void>();
      prepared = promise;
      return resolve;
    },
    storeIsAway: (away: boolean) => void (storeAway = away),
    /** Refuses viewers of other relays, and sends those that are there away. */
    drains(relay: number) {
      relays[relay]?.drain();
      for (const end of move[relay]?.splice(0) ?? []) end();
    },
    /** Its listener does not answer any more. */
    dies: (relay: number) => void dead.add(relay),
    metric: async (name: string) =>
      (await registry.metrics())
        .split('\n')
        .find((line) => line.startsWith(name))
        ?.split(' ')
        .at(-1),
  };
}

/** A link as the internal connection makes it: it ends with what the owner says. */
function forwardedLink({ link, ended }: Awaited<ReturnType<SharedConsoles['accept']>>): MachineLink {
  return {
    ...link,
    setHandler(handler) {
      link.setHandler({ ...handler, onEnded() {} });
      void ended.then((error) => handler.onEnded(error));
    },
  };
}

export type SharingWorld = ReturnType<typeof createSharingWorld>;
