import type { DelayProfileName } from '../fakes/proxmox/delay-profiles.ts';
import { testOrigin } from '../relay/rig.ts';
import { startRelayFleet } from './relay-fleet.ts';
import { simulatePage } from './simulated-page.ts';

/** Users who open a console at the same moment, each of their own machine. */
export interface ClassOpeningPlan {
  readonly users: number;
  readonly nodes: number;
  readonly relays: number;
  readonly delays: DelayProfileName;
}

export interface ClassOpening {
  readonly plan: ClassOpeningPlan;
  /** Milliseconds from the start to the picture of each user, ascending. */
  readonly pictures: readonly number[];
  /** Users who were told their place in the queue for a node before their console opened. */
  readonly queued: number;
  /** Number of requested grants: one per user, unless an attempt failed. */
  readonly grants: number;
  /** Number of vncproxy calls: one per user, unless an attempt failed. */
  readonly vncproxyCalls: number;
}

/** What `npm run bench -- --only class` measures. */
export function classOpenings(quick: boolean, delays: DelayProfileName): readonly ClassOpeningPlan[] {
  if (quick) return [{ users: 4, nodes: 2, relays: 1, delays }];
  return [
    { users: 30, nodes: 6, relays: 1, delays },
    { users: 300, nodes: 10, relays: 3, delays },
  ];
}

const personsPerMachine = 3;

/** Measures relays with a real Redis and a simulated Proxmox. */
export async function measureClassOpening(plan: ClassOpeningPlan): Promise<ClassOpening> {
  const { delays, nodes, relays, users } = plan;
  const fleet = await startRelayFleet({ delays, nodes, machines: users });
  const queued = new Set<number>();
  try {
    for (let each = 0; each < relays; each++) await fleet.startRelay();
    const urls = fleet.relays.map(({ url }) => url);
    const began = performance.now();
    const pages = Array.from({ length: users }, (_, user) =>
      simulatePage({
        urls,
        first: user,
        step: 1,
        origin: testOrigin,
        // Persons with neighbouring numbers share a machine.
        requestGrant: () => fleet.grantFor(user * personsPerMachine),
        onControl: ({ type }) => type === 'queued' && queued.add(user),
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
      queued: queued.size,
      grants,
      vncproxyCalls: fleet.proxmox.calls.filter(({ path }) => path.endsWith('/vncproxy')).length,
    };
  } finally {
    await fleet.stop();
  }
}

/** Formats the results as a section of the report. */
export function reportClassOpenings(openings: readonly ClassOpening[]): string {
  const [first] = openings;
  if (!first) return '';
  const rows = openings.map(({ plan, pictures, queued, grants, vncproxyCalls }) => {
    const at = (share: number) =>
      `${((pictures[Math.floor((pictures.length - 1) * share)] ?? Number.NaN) / 1000).toFixed(1)} s`;
    return `| ${plan.users} on ${plan.nodes} nodes | ${plan.relays} | ${at(0)} | ${at(0.5)} | ${at(0.95)} | ${at(1)} | ${queued} | ${grants} | ${vncproxyCalls} |`;
  });
  return [
    `All users open the consoles of machines of their own at the same moment. The relays, a real Redis and a simulated Proxmox with \`${first.plan.delays}\` delays run on this machine.`,
    '',
    '| Users | Relays | First picture | Median | p95 | Last picture | Users told their place in the queue | Grants | Calls of vncproxy |',
    '|---|--:|--:|--:|--:|--:|--:|--:|--:|',
    ...rows,
    '',
    'With one grant and one call per user, no attempt has failed. The first three users of a node do not wait.',
    '',
  ].join('\n');
}
