import { eventually } from '../../eventually.ts';
import { useRelayRigs, type RelayRig } from '../rig.ts';
import type { LiveViewer } from './live-viewer.ts';
import { startSharingRelays, viewerAt, vncproxyCalls } from './sharing-rig.ts';

const start = useRelayRigs();
let viewers: LiveViewer[] = [];
afterEach(async () => {
  await Promise.all(viewers.splice(0).map((viewer) => viewer.close()));
});

async function open(
  relays: readonly RelayRig[],
  relay: number,
  overrides: Parameters<typeof viewerAt>[2] = {},
) {
  const viewer = viewerAt(relays, relay, overrides);
  viewers = [...viewers, viewer];
  await viewer.pictured;
  return viewer;
}

const pixelsOf = ({ buffer, byteOffset, byteLength }: Buffer) =>
  new Uint32Array(buffer, byteOffset, byteLength / 4);

/** Whether the viewer shows what the machine shows. The fourth byte of a pixel has no meaning. */
function shows({ guest }: RelayRig, { rfb }: LiveViewer): boolean {
  if (!rfb) return false;
  const [real, shown] = [pixelsOf(guest.framebuffer().data), pixelsOf(rfb.framebuffer)];
  return real.length === shown.length && real.every((pixel, i) => ((pixel ^ shown[i]!) & 0xff_ff_ff) === 0);
}

const allShow = (rig: RelayRig, all: readonly LiveViewer[]) =>
  eventually('all viewers show the machine', () => all.every((viewer) => shows(rig, viewer)));

test('ten viewers of a machine at three relays cause one vncproxy call and one client of the machine', async () => {
  const relays = await startSharingRelays(start, 3);
  const [one] = relays as [RelayRig, ...RelayRig[]];
  const first = await open(relays, 0);
  expect([vncproxyCalls(one), one.guest.connections()]).toEqual([1, 1]);
  const second = await open(relays, 1);
  await allShow(one, [first, second]);
  expect([vncproxyCalls(one), one.guest.connections(), first.closes]).toEqual([1, 1, [1012]]);
  const others = await Promise.all(Array.from({ length: 8 }, (_, i) => open(relays, i)));
  await allShow(one, [first, second, ...others]);
  second.rfb?.type('uname -a\n');
  await eventually('the machine has the keys', () => one.guest.keys() === 'uname -a\n');
  await allShow(one, [first, second, ...others]);
  expect([vncproxyCalls(one), one.guest.connections(), one.proxmox.openConsoles(100)]).toEqual([1, 1, 1]);
  expect([second, ...others].flatMap(({ closes }) => closes)).toEqual([]);
});
