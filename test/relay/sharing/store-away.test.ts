import { PortholeError } from '@porthole/shared/errors';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { useRelayRigs, type RelayRig } from '../rig.ts';
import type { LiveViewer } from './live-viewer.ts';
import { startSharingRelays, viewerAt, vncproxyCalls } from './sharing-rig.ts';

const start = useRelayRigs();

/** A store whose records and leases can be made to fail. */
function createFailingStore() {
  const store = createMemoryStore({ clock: systemClock });
  let away = false;
  const failing = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown =>
          away
            ? Promise.reject(new PortholeError('store_unavailable'))
            : (Reflect.apply(value, target, args) as unknown);
      },
    });
  return {
    store: { ...store, records: failing(store.records), leases: failing(store.leases) },
    fail: (now: boolean) => void (away = now),
  };
}

test('viewers of a shared screen stay and type while Redis is away, here and elsewhere, and share again with those that come after', async () => {
  const { store, fail } = createFailingStore();
  const [one, two] = (await startSharingRelays(start, 2, { store })) as [RelayRig, RelayRig];
  const viewers: LiveViewer[] = [viewerAt([one, two], 0)];
  await viewers[0]?.pictured;
  viewers.push(viewerAt([one, two], 1));
  await eventually('both share the console', () => viewers.length === 2 && viewers.every(({ rfb }) => rfb));
  const closes = () => viewers.map((viewer) => [...viewer.closes]);
  const before = closes();
  fail(true);
  for (const { rfb } of viewers) rfb?.type('x');
  await eventually('the machine has the keys', () => one.guest.keys() === 'xx');
  one.proxmox.dropConsoles(100);
  await eventually('they are told', () => viewers.every(({ notices }) => notices.includes('reconnecting')));
  fail(false);
  await eventually('the console is back', () => viewers.every(({ notices }) => notices.includes('live')));
  viewers.push(viewerAt([one, two], 1));
  await eventually('the third one has a picture', () => viewers[2]?.rfb !== undefined);
  for (const { rfb } of viewers) rfb?.type('y');
  await eventually('the machine has the keys', () => one.guest.keys() === 'xxyyy');
  expect([closes(), vncproxyCalls(one)]).toEqual([[...before, []], 2]);
  await Promise.all(viewers.map((viewer) => viewer.close()));
}, 60_000);
