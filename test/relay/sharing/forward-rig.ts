import { createForwardListener, type ForwardListenerDeps } from '@porthole/relay/sharing/forward-listener';
import { createForwardViewer, type ForwardViewerDeps } from '@porthole/relay/sharing/forward-viewer';
import type { AcceptForwarded, ForwardRequest, ScreenNotice } from '@porthole/relay/sharing/contracts';
import { createSharingMetrics } from '@porthole/relay/sharing/sharing-metrics';
import type { MachineLink } from '@porthole/relay/upstream/proxmox-link';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { PortholeError } from '@porthole/shared/errors';
import type { GrantClaims } from '@porthole/shared/grant/claims';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { noTracing } from '@porthole/shared/telemetry/tracing';
import { createFakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';
import { aGrant } from '../rig.ts';
import { EchoConsole } from './echo-console.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export const grantKey = 'k'.repeat(40);

/** A forwarded viewer as its session sees it. */
export interface ForwardedSession {
  readonly link: MachineLink;
  readonly notices: readonly ScreenNotice[];
  received(): Buffer;
  /** Undefined until the link has ended; then the code of the error, or `none`. */
  ended(): string | undefined;
}

/** An owner with its internal listener, a relay that forwards to it, and one store, on real sockets. */
export interface ForwardRig {
  readonly address: string;
  /** The port of the internal listener. `address` leads to it over `network`. */
  readonly port: number;
  readonly network: TcpProxy;
  readonly store: ReturnType<typeof createMemoryStore>;
  readonly ownerClock: ReturnType<typeof createFakeClock>;
  readonly relayClock: ReturnType<typeof createFakeClock>;
  readonly listener: ReturnType<typeof createForwardListener>;
  /** The consoles of the owner, and the requests for them, in the order of their viewers. */
  readonly consoles: readonly EchoConsole[];
  readonly requests: readonly ForwardRequest[];
  forward(claims?: Partial<GrantClaims>, address?: string, signal?: AbortSignal): Promise<ForwardedSession>;
  /** The value of a series at the owner, or at the forwarding relay. */
  metric(at: 'owner' | 'relay', series: string): Promise<number | undefined>;
  eventuallyMetric(at: 'owner' | 'relay', series: string, value: number): Promise<void>;
}

export interface RigOptions {
  readonly accept?: AcceptForwarded;
  readonly listener?: Partial<ForwardListenerDeps>;
  readonly relay?: Partial<ForwardViewerDeps>;
}

const rigs: (() => Promise<void>)[] = [];
/** Call after each test. */
export async function stopForwardRigs(): Promise<void> {
  await Promise.all(rigs.splice(0).map((stop) => stop()));
}

export async function startForwardRig(options: RigOptions = {}): Promise<ForwardRig> {
  const [ownerClock, relayClock] = [createFakeClock(), createFakeClock()];
  const store = createMemoryStore({ clock: createFakeClock() });
  const registries = { owner: createRegistry(), relay: createRegistry() };
  let port = 0;
  const network = await startTcpProxy(() => port);
  const address = `127.0.0.1:${network.port}`;
  const consoles: EchoConsole[] = [];
  const requests: ForwardRequest[] = [];
  const common = { records: store.records, keys: () => [grantKey], random: systemRandom };
  const listener = createForwardListener({
    ...common,
    listen: { host: '127.0.0.1', port: 0 },
    address,
    clock: ownerClock,
    metrics: createSharingMetrics(registries.owner),
    accept: async (request) => {
      requests.push(request);
      if (options.accept) return options.accept(request);
      const link = new EchoConsole();
      consoles.push(link);
      return { link, ended: link.ended };
    },
    maxViewers: 100,
    drainMs: 0,
    ...options.listener,
  });
  await listener.start?.();
  ({ port } = listener.boundAddress());
  const forwardViewer = createForwardViewer({
    ...common,
    clock: relayClock,
    tracing: noTracing,
    metrics: createSharingMetrics(registries.relay),
    ...options.relay,
  });
  const releases: (() => void)[] = [];

  async function metric(at: 'owner' | 'relay', series: string): Promise<number | undefined> {
    const text = await registries[at].metrics();
    const line = text.split('\n').find((each) => each.startsWith(`porthole_relay_${series} `));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  }

  rigs.push(async () => {
    for (const release of releases) release();
    const stopped = listener.stop?.();
    // The drain waits for its turn.
    for (let turn = 0; turn < 100; turn++) {
      ownerClock.advance(100);
      await Promise.resolve();
    }
    await network.stop();
    await stopped;
  });

  return {
    address,
    port,
    network,
    store,
    ownerClock,
    relayClock,
    listener,
    consoles,
    requests,
    async forward(claims = {}, to = address, signal = new AbortController().signal) {
      const notices: ScreenNotice[] = [];
      const received: Buffer[] = [];
      let ended: string | undefined;
      const link = await forwardViewer(to, {
        claims: aGrant(relayClock, claims),
        signal,
        onNotice: (notice) => notices.push(notice),
      });
      releases.push(() => link.destroy());
      link.setHandler({
        onBytes: (source, start, end) => received.push(Buffer.from(source.subarray(start, end))),
        onEnded: (error?: PortholeError) => (ended = error?.code ?? 'none'),
      });
      return {
        link,
        notices,
        received: () => Buffer.concat(received),
        ended: () => ended,
      };
    },
    metric,
    eventuallyMetric: (at, series, value) =>
      eventually(async () => expect(await metric(at, series)).toBe(value)),
  };
}
