import type { DelayProfileName } from '../fakes/proxmox/delay-profiles.ts';
import { testOrigin } from '../relay/rig.ts';
import { startRelayFleet } from './relay-fleet.ts';
import { simulatePage } from './simulated-page.ts';

/** Users who open a console at the same moment, each of their own machine. At most 30, on six nodes. */
export interface ClassOpeningPlan {
  readonly users: number;
  readonly delays: DelayProfileName;
}

export interface ClassOpening {
  readonly plan: ClassOpeningPlan;
  /** Milliseconds from the start to the picture of each user, ascending. */
  readonly pictures: readonly number[];
  /** Number of requested grants: one per user, unless an attempt failed. */
  readonly grants: number;
  /** Number of vncproxy calls: one per user, unless an attempt failed. */
  readonly vncproxyCalls: number;
}

const machinesPerPerson = 3;

/** Measures one relay with a real Redis and a simulated Proxmox. */
export async function measureClassOpening(plan: ClassOpeningPlan): Promise<ClassOpening> {
  const fleet = await startRelayFleet({ delays: plan.delays });
  try {
    const { url } = await fleet.startRelay();
    const began = performance.now();
    const pages = Array.from({ length: plan.users }, (_, user) =>
      simulatePage({
        urls: [url],
        first: 0,
        step: 0,
        origin: testOrigin,
        // Persons with neighbouring numbers share a machine.
        requestGrant: () => fleet.grantFor(user * machinesPerPerson),
      }),
    );
    const pictures = await Promise.all(
      pages.map(async ({ open }) => {
        await open;
        return performance.now() - began;
      }),
    );
    const grants = pages.reduce((sum, { grantRequests }) => sum + grantRequests, 0);
    await Promise.all(pages.map((page) => page.close()));
    return {
      plan,
      pictures: pictures.toSorted((a, b) => a - b),
      grants,
      vncproxyCalls: fleet.proxmox.calls.filter(({ path }) => path.endsWith('/vncproxy')).length,
    };
  } finally {
    await fleet.stop();
  }
}

/** Formats the result as a section of the report. */
export function reportClassOpening({ plan, pictures, grants, vncproxyCalls }: ClassOpening): string {
  const at = (share: number) =>
    `${((pictures[Math.floor((pictures.length - 1) * share)] ?? Number.NaN) / 1000).toFixed(1)} s`;
  return [
    `${plan.users} users open the consoles of ${plan.users} machines on six nodes at the same moment. One relay, a real Redis and a simulated Proxmox with \`${plan.delays}\` delays run on this machine.`,
    '',
    '| First picture | Median | p95 | Last picture |',
    '|--:|--:|--:|--:|',
    `| ${at(0)} | ${at(0.5)} | ${at(0.95)} | ${at(1)} |`,
    '',
    `- Grants: ${grants}, one per user unless an attempt failed. Calls of vncproxy: ${vncproxyCalls}.`,
    '',
  ].join('\n');
}
