import { freePort } from '../../free-port.ts';
import type { RelayRig, RigOptions } from '../rig.ts';
import { openLiveViewer, type LiveViewer } from './live-viewer.ts';

/** Relays of one installation that reach each other. */
export async function startSharingRelays(
  start: (options?: RigOptions) => Promise<RelayRig>,
  count: number,
  options: RigOptions = {},
): Promise<RelayRig[]> {
  const relays: RelayRig[] = [];
  for (let i = 0; i < count; i++) {
    const port = await freePort();
    const sharing = {
      internalAddress: `127.0.0.1:${port}`,
      internalListen: `127.0.0.1:${port}`,
      ...options.sharing,
    };
    const [first] = relays;
    // Not ten seconds: tests wait until all consoles are closed.
    const deadlines = { unwatchedScreen: 2000, ...options.deadlines };
    relays.push(await start({ ...options, ...(first ? { sharedWith: first } : {}), sharing, deadlines }));
  }
  return relays;
}

/** Opens a viewer of machine 100 at one of the relays. */
export function viewerAt(
  relays: readonly RelayRig[],
  relay: number,
  overrides: Parameters<RelayRig['mint']>[0] = {},
  wanted?: number[],
): LiveViewer {
  const [first] = relays;
  if (!first) throw new Error('there is no relay');
  return openLiveViewer({
    urls: relays.map(({ url }) => url),
    relay,
    requestGrant: () => first.mint(overrides),
    ...(wanted ? { wanted } : {}),
  });
}

/** Number of vncproxy calls for a machine. */
export const vncproxyCalls = ({ proxmox }: RelayRig, vmid = 100) =>
  proxmox.calls.filter(({ method, path }) => method === 'POST' && path.endsWith(`/${vmid}/vncproxy`)).length;
