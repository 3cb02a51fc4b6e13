import { setTimeout as sleep } from 'node:timers/promises';
import { testOrigin } from '../relay/rig.ts';
import { startChild, type Child } from './child.ts';
import { relayFlags } from './compared-relays.ts';
import { startDrainingViewer, type DrainingViewer } from './draining-viewer.ts';
import { usageOf } from './process-usage.ts';
import { desktop, updatesPerSecond, type SharedPlan } from './shared-plan.ts';

/** The relay's cost in one situation. */
export interface SharedCost {
  readonly situation: string;
  readonly viewers: number;
  /** Of one core. */
  readonly cpuShare: number;
  readonly rssMib: number;
  readonly kibPerSecondToViewers: number;
  /** Milliseconds of the pass-through sessions beside it. */
  readonly p50: number;
  readonly p99: number;
  /** Sum of a metric during the measurement. */
  readonly decodeSeconds: number;
  readonly encodeSeconds: number;
  readonly decodedMib: number;
}

export interface SharedResults {
  readonly plan: SharedPlan;
  readonly costs: readonly SharedCost[];
  readonly vncproxyCalls: number;
  readonly consoles: number;
  readonly updateKib: number;
  /** Milliseconds until the first pixels of each viewer that joined the shared screen, ascending. */
  readonly joinMs: readonly number[];
}

/** Measures one relay with the store in memory: nothing, a pass-through session, then the shared screen. */
export async function measureShared(plan: SharedPlan): Promise<SharedResults> {
  const upstream = await startChild('upstream-main.ts');
  const others = await startChild('viewers-main.ts');
  const desktops = await startChild('desktops-main.ts');
  const { port: upstreamPort, caPem } = upstream.ready as { port: number; caPem: string };
  const machine = desktops.ready as { url: string; caPem: string; updateBytes: number };
  const relay = await startChild(
    'relay-main.ts',
    [`https://127.0.0.1:${upstreamPort}`, caPem, machine.url, machine.caPem],
    relayFlags(),
  );
  const { port } = relay.ready as { port: number };
  const url = `ws://127.0.0.1:${port}/relay/v1/console`;
  const viewers: DrainingViewer[] = [];
  const joinMs: number[] = [];
  const costs: SharedCost[] = [];

  async function join(count: number): Promise<void> {
    const { tokens } = await mint(relay, count, 'desktops', desktop.vmid);
    for (const token of tokens) {
      const { width, height } = desktop;
      const viewer = startDrainingViewer({
        url,
        token,
        origin: testOrigin,
        width,
        height,
        requestsPerSecond: 2 * updatesPerSecond,
      });
      viewers.push(viewer);
      joinMs.push(await viewer.picture);
    }
  }

  async function readAll() {
    const work = await readWork(relay);
    const { sentBytes } = await desktops.request<{ sentBytes: number }>({});
    return { ...usageOf(relay.pid), ...work, sentBytes };
  }

  async function measure(situation: string): Promise<void> {
    await sleep(plan.settleMs);
    const before = await readAll();
    const receivedBefore = viewers.reduce((sum, { received }) => sum + received, 0);
    const { p50, p99 } = await others.request<{ p50: number; p99: number }>({ echoSeconds: plan.seconds });
    const after = await readAll();
    const received = viewers.reduce((sum, viewer) => sum + viewer.received, 0) - receivedBefore;
    costs.push({
      situation,
      viewers: viewers.length,
      cpuShare: (after.cpuSeconds - before.cpuSeconds) / plan.seconds,
      rssMib: after.rssBytes / 2 ** 20,
      kibPerSecondToViewers: received / 1024 / plan.seconds,
      p50,
      p99,
      decodeSeconds: after.decodeSeconds - before.decodeSeconds,
      encodeSeconds: after.encodeSeconds - before.encodeSeconds,
      decodedMib: (after.sentBytes - before.sentBytes) / 2 ** 20,
    });
  }

  try {
    const { tokens } = await mint(relay, plan.besides);
    await others.request({
      open: {
        port,
        path: '/relay/v1/console',
        protocols: tokens.map((token) => `binary, porthole.grant.${token}`),
        opening: 20,
      },
    });
    await others.request({ echoSeconds: plan.settleMs / 1000 });
    await measure('no viewer');
    await desktops.request({ updatesPerSecond });
    await join(1);
    await measure('pass-through, 1 viewer');
    joinMs.length = 0;
    // A second viewer makes the screen shared.
    await join(1);
    await viewers.shift()?.close();
    for (const count of plan.viewers) {
      await join(count - viewers.length);
      await measure(`shared, ${count} ${count === 1 ? 'viewer' : 'viewers'}`);
    }
    const { vncproxyCalls, consoles } = await desktops.request<{ vncproxyCalls: number; consoles: number }>(
      {},
    );
    await Promise.all(viewers.splice(0).map((viewer) => viewer.close()));
    // The relay keeps the screen for a moment.
    await measure('shared, no viewer');
    return {
      plan,
      costs,
      vncproxyCalls,
      consoles,
      updateKib: machine.updateBytes / 1024,
      joinMs: joinMs.toSorted((a, b) => a - b),
    };
  } finally {
    await Promise.all([relay, others, desktops, upstream].map((child) => child.stop()));
  }
}

async function mint(relay: Child, count: number, cluster?: string, vmid?: number) {
  return relay.request<{ tokens: string[] }>({ mint: count, cluster, vmid });
}

/** What the worker threads have done so far, from the relay's metrics. */
async function readWork(relay: Child) {
  const { metrics } = await relay.request<{ metrics: string }>({ metrics: true });
  const read = (work: string) => {
    const line = metrics
      .split('\n')
      .find((each) => each.startsWith(`porthole_relay_screen_work_seconds_total{work="${work}"}`));
    if (line === undefined) throw new Error(`The relay has no metric for the work "${work}".`);
    return Number(line.slice(line.lastIndexOf(' ') + 1));
  };
  return { decodeSeconds: read('decode'), encodeSeconds: read('encode') };
}

/** Formats the results as a section of the report. */
export function reportShared(results: SharedResults): string {
  const { plan, costs, joinMs, updateKib } = results;
  const at = (share: number) => Math.round(joinMs[Math.floor((joinMs.length - 1) * share)] ?? Number.NaN);
  const idle = costs[0]?.cpuShare ?? Number.NaN;
  const updates = plan.seconds * updatesPerSecond;
  const ms = (seconds: number) => ((seconds * 1000) / updates).toFixed(1);
  const cost = (situation: string) => costs.find((one) => one.situation === situation);
  const [fewest, most] = [Math.min(...plan.viewers), Math.max(...plan.viewers)].map((count) =>
    costs.find(({ situation, viewers }) => viewers === count && situation.startsWith('shared')),
  );
  const passThrough = cost('pass-through, 1 viewer');
  return [
    `One machine of ${desktop.width} × ${desktop.height} pixels with text windows, of which a quarter changes ${updatesPerSecond} times a second (${updateKib.toFixed(0)} KiB of Hextile each). Beside it, ${plan.besides} pass-through sessions with one echo per second. One relay; CPU is that of its whole process, as a share of one core, without the share of the sessions beside it.`,
    '',
    '| Situation | CPU | RSS | To viewers | Echo beside it, p50 | p99 | Decode, per update | Encode, per update |',
    '|---|--:|--:|--:|--:|--:|--:|--:|',
    ...costs.map((one) =>
      [
        `| ${one.situation}`,
        `${((one.cpuShare - idle) * 100).toFixed(1)} %`,
        `${one.rssMib.toFixed(0)} MiB`,
        `${one.kibPerSecondToViewers.toFixed(0)} KiB/s`,
        `${one.p50.toFixed(2)} ms`,
        `${one.p99.toFixed(1)} ms`,
        `${ms(one.decodeSeconds)} ms`,
        `${ms(one.encodeSeconds)} ms |`,
      ].join(' | '),
    ),
    '',
    `- Calls of vncproxy: ${results.vncproxyCalls}. Consoles at the machine: ${results.consoles}.`,
    `- First pixels of a viewer that joins: median ${at(0.5)} ms, p95 ${at(0.95)} ms.`,
    `- Decoding: ${perMib(costs)} ms per MiB of Hextile.`,
    `- Encoding for ${most?.viewers} viewers relative to ${fewest?.viewers}: ${((most?.encodeSeconds ?? Number.NaN) / (fewest?.encodeSeconds ?? Number.NaN)).toFixed(2)} ×. All CPU time per viewer at ${most?.viewers} viewers relative to pass-through: ${(((most?.cpuShare ?? Number.NaN) - idle) / (most?.viewers ?? 1) / ((passThrough?.cpuShare ?? Number.NaN) - idle)).toFixed(2)} ×.`,
    '',
  ].join('\n');
}

function perMib(costs: readonly SharedCost[]): string {
  const shared = costs.filter(({ decodeSeconds }) => decodeSeconds > 0);
  const seconds = shared.reduce((sum, one) => sum + one.decodeSeconds, 0);
  const mib = shared.reduce((sum, one) => sum + one.decodedMib, 0);
  return ((seconds / mib) * 1000).toFixed(1);
}
