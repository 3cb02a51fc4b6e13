import { connect } from 'node:net';
import { once } from 'node:events';
import { createMachineOwners } from '@porthole/relay/sharing/machine-owners';
import { systemRandom } from '@porthole/shared/crypto/random';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { freePort } from '../../free-port.ts';
import { grantKey, useRelayRigs, type RelayRig } from '../rig.ts';
import type { LiveViewer } from './live-viewer.ts';
import { startSharingRelays, viewerAt, vncproxyCalls } from './sharing-rig.ts';

const start = useRelayRigs();
let viewers: LiveViewer[] = [];
afterEach(() => Promise.all(viewers.splice(0).map((viewer) => viewer.close())));

/** Opens four viewers of one machine, one after the other at the relays in turn. */
async function openFour(relays: readonly RelayRig[]): Promise<void> {
  for (let i = 0; i < 4; i++) {
    const viewer = viewerAt(relays, i);
    viewers = [...viewers, viewer];
    await viewer.pictured;
    await eventually('all have a picture', () => viewers.every(({ rfb }) => rfb !== undefined));
  }
}

const interruptions = () => viewers.map(({ closes }) => closes.length);
const fallbacks = async ({ metrics }: RelayRig) =>
  Number(/screen_fallbacks_total\{reason="limit"\} (\d+)/.exec(await metrics())?.[1]);

test('beyond the viewers of a screen, each has a console of its own, here and elsewhere', async () => {
  const [one, two] = (await startSharingRelays(start, 2, { sharing: { viewersPerScreen: 2 } })) as [
    RelayRig,
    RelayRig,
  ];
  await openFour([one, two]);
  expect([vncproxyCalls(one), interruptions()]).toEqual([3, [1, 0, 0, 0]]);
  expect([await fallbacks(one), await fallbacks(two)]).toEqual([1, 1]);
});

test('a picture that is too large to be shared interrupts its first viewer once, and not for each further one', async () => {
  const [one, two] = (await startSharingRelays(start, 2, { sharing: { megapixels: 0.1 } })) as [
    RelayRig,
    RelayRig,
  ];
  await openFour([one, two]);
  expect(interruptions()).toEqual([1, 0, 0, 0]);
  // The one that was taken over in vain was opened again.
  expect([vncproxyCalls(one), one.proxmox.openConsoles(100)]).toEqual([5, 4]);
  expect([await fallbacks(one), await fallbacks(two)]).toEqual([1, 2]);
});

test('when sharing is off, each viewer has its own console, and there is neither an owner record nor an internal port', async () => {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const relay = await start({
    sharing: { enabled: false, internalAddress: address, internalListen: address },
  });
  await openFour([relay]);
  expect([vncproxyCalls(relay), interruptions()]).toEqual([4, [0, 0, 0, 0]]);
  const socket = connect(port, '127.0.0.1');
  const [refusal] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(refusal.code).toBe('ECONNREFUSED');
  const owners = createMachineOwners({
    records: relay.store.records,
    keys: () => [grantKey],
    random: systemRandom,
    clock: systemClock,
    address: undefined,
    metrics: { ownerChanged() {} },
  });
  const { signal } = new AbortController();
  const claimed = await owners.claim({ cluster: 'lab', vmid: 100 }, { signal });
  expect('owned' in claimed).toBe(true);
  if ('owned' in claimed) await claimed.owned.release();
});
