import { setTimeout as sleep } from 'node:timers/promises';
import { createDesktopGuest } from './desktop-guest.ts';
import { mintWall, aSeat } from '../relay/wall/wall-client.ts';
import { createRelayRig, testOrigin } from '../relay/rig.ts';
import { delayProfiles, type DelayProfileName } from '../fakes/proxmox/delay-profiles.ts';
import { startChild } from './child.ts';
import { relayFlags } from './compared-relays.ts';
import { startDrainingViewer } from './draining-viewer.ts';
import { usageOf } from './process-usage.ts';
import { desktop } from './shared-plan.ts';
import { startWallViewer } from './wall-viewer.ts';

export interface WallPlan {
  /** Running machines on the wall. A fifth of them changes, a quarter of the screen every half second. */
  readonly machines: number;
  /** A multiple of five. */
  readonly seconds: number;
  readonly settleMs: number;
  /** Machines of the class whose consoles are opened for the wall, on two nodes. */
  readonly cold: number;
  readonly delays: DelayProfileName;
}

export const wallPlan = (quick: boolean, delays: DelayProfileName): WallPlan =>
  quick
    ? { machines: 10, seconds: 1, settleMs: 200, cold: 4, delays }
    : { machines: 60, seconds: 20, settleMs: 3000, cold: 30, delays };

export interface WallResults {
  readonly plan: WallPlan;
  /** Of one core. */
  readonly cpuShare: number;
  readonly idleShare: number;
  readonly picturesPerSecond: number;
  readonly kibPerPicture: number;
  readonly mibPerScreen: number;
  /** Milliseconds until all seats have a picture: consoles of users that were not shared, shared screens, no consoles. */
  readonly passThroughMs: number;
  readonly sharedMs: number;
  readonly coldMs: number;
}

export async function measureWall(plan: WallPlan): Promise<WallResults> {
  const open = await measureOpenClass(plan);
  return { plan, ...open, coldMs: await measureColdClass(plan) };
}

/** One relay with a store in memory, whose users have their consoles open already. */
async function measureOpenClass({ machines, seconds, settleMs }: WallPlan) {
  const desktops = await startChild('desktops-main.ts', [String(machines)]);
  const { url: proxmox, caPem } = desktops.ready as { url: string; caPem: string };
  const relay = await startChild('relay-main.ts', [proxmox, caPem, proxmox, caPem], relayFlags());
  const { port } = relay.ready as { port: number };
  const at = (path: string) => `ws://127.0.0.1:${port}/relay/v1/${path}`;
  const openWall = async () => {
    const { token } = await relay.request<{ token: string }>({ wall: machines, firstVmid: desktop.vmid });
    return startWallViewer(at('wall'), token, machines);
  };
  try {
    const users = [];
    for (let i = 0; i < machines; i++) {
      const { tokens } = await relay.request<{ tokens: [string] }>({
        mint: 1,
        cluster: 'desktops',
        vmid: desktop.vmid + i,
      });
      const user = startDrainingViewer({
        url: at('console'),
        token: tokens[0],
        origin: testOrigin,
        width: desktop.width,
        height: desktop.height,
        requestsPerSecond: 1,
      });
      users.push(user);
      await user.picture;
    }
    await sleep(settleMs);
    const before = usageOf(relay.pid);
    const first = await openWall();
    const passThroughMs = await first.complete;
    const second = await openWall();
    const sharedMs = await second.complete;
    await second.close();
    await Promise.all(users.map((user) => user.close()));
    await sleep(settleMs);
    const opened = usageOf(relay.pid);
    await sleep(seconds * 1000);
    const idle = usageOf(relay.pid);
    await desktops.request({ updatesPerSecond: 2, machines: Math.ceil(machines / 5) });
    await sleep(settleMs);
    const start = { ...usageOf(relay.pid), pictures: first.pictures, bytes: first.bytes };
    await sleep(seconds * 1000);
    const end = usageOf(relay.pid);
    const pictures = first.pictures - start.pictures;
    const results = {
      cpuShare: (end.cpuSeconds - start.cpuSeconds) / seconds,
      idleShare: (idle.cpuSeconds - opened.cpuSeconds) / seconds,
      picturesPerSecond: pictures / seconds,
      kibPerPicture: (first.bytes - start.bytes) / pictures / 1024,
      mibPerScreen: (end.rssBytes - before.rssBytes) / machines / 2 ** 20,
      passThroughMs,
      sharedMs,
    };
    await first.close();
    return results;
  } finally {
    await Promise.all([relay, desktops].map((child) => child.stop()));
  }
}

/** One relay, and running machines on two nodes without any console. */
async function measureColdClass({ cold, delays }: WallPlan): Promise<number> {
  const seats = Array.from({ length: cold }, (_, i) => aSeat(i, 100 + i, i % 2 ? 'pve2' : 'pve1'));
  const rig = await createRelayRig({
    sharing: {},
    proxmox: {
      ...delayProfiles[delays],
      guests: seats.map(({ vmid, node }) => ({
        vmid,
        node,
        type: 'qemu' as const,
        name: `lab-${vmid}`,
        guest: createDesktopGuest(desktop),
        running: true,
      })),
    },
  });
  try {
    const wall = startWallViewer(rig.url.replace('/console', '/wall'), await mintWall(rig, { seats }), cold);
    const ms = await wall.complete;
    await wall.close();
    return ms;
  } finally {
    await rig.stop();
  }
}

/** Formats the results as a section of the report. */
export function reportWall(results: WallResults): string {
  const { plan, cpuShare, idleShare, picturesPerSecond, kibPerPicture, mibPerScreen } = results;
  const { passThroughMs, sharedMs, coldMs } = results;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return [
    `A wall of ${plan.machines} running machines of ${desktop.width} × ${desktop.height} pixels, of which a fifth changes a quarter of the screen twice a second. One relay; CPU is that of its whole process, as a share of one core.`,
    '',
    '| Figure | Measured | Target |',
    '|---|--:|--:|',
    `| CPU, a fifth changes | ${percent(cpuShare)} | 15 % |`,
    `| CPU, nothing changes | ${percent(idleShare)} | |`,
    `| Pictures per second | ${picturesPerSecond.toFixed(1)} | |`,
    `| Size of a picture | ${kibPerPicture.toFixed(1)} KiB | 20 KiB |`,
    `| Memory per screen | ${mibPerScreen.toFixed(1)} MiB | 4 MiB |`,
    `| All tiles, screens shared already | ${passSeconds(sharedMs)} | 1 s |`,
    `| All tiles, consoles open, not shared | ${passSeconds(passThroughMs)} | 1 s |`,
    `| All tiles, ${plan.cold} machines on two nodes without consoles (delays: ${plan.delays}) | ${passSeconds(coldMs)} | 8 s |`,
    '',
  ].join('\n');
}

const passSeconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
