import { networkInterfaces } from 'node:os';
import { createRelayConnections } from '@porthole/relay/sharing/relay-connections';
import { createSharingMetrics } from '@porthole/relay/sharing/sharing-metrics';
import { configSchema } from '@porthole/shared/config/schema';
import { constantSecret } from '@porthole/shared/config/secret';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { noTracing } from '@porthole/shared/telemetry/tracing';
import { createFakeClock } from '../../fakes/clock.ts';
import { eventually } from '../../eventually.ts';
import { freePort } from '../../free-port.ts';
import { aGrant } from '../rig.ts';
import { EchoConsole, serverInit } from './echo-console.ts';
import { grantKey } from './forward-rig.ts';

const configOf = (sharing: object) =>
  configSchema.parse({
    clusters: [
      {
        name: 'lab',
        urls: 'https://127.0.0.1:8006',
        credential: { token: 'a@pve!b', secret: constantSecret('secret') },
      },
    ],
    signIn: { local: { usersFile: constantSecret('users: []') } },
    sharing,
  });

const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
/** IPv6, with the brackets of a URL, where the machine has it. */
const host = addresses.some(({ address }) => address === '::1') ? '[::1]' : '127.0.0.1';
const clock = createFakeClock();
const store = createMemoryStore({ clock });

function connectionsOf(sharing: object) {
  return createRelayConnections({
    settings: configOf(sharing).sharing,
    maxViewers: 10,
    drainMs: 0,
    keys: () => [grantKey],
    store,
    clock,
    random: systemRandom,
    tracing: noTracing,
    metrics: createSharingMetrics(createRegistry()),
    async accept() {
      const link = new EchoConsole();
      return { link, ended: link.ended };
    },
  });
}

const { signal } = new AbortController();

test('without an internal address, a relay has no listener, and publishes no address', async () => {
  for (const sharing of [{}, { enabled: false, internalAddress: '127.0.0.1:1' }]) {
    const { listener, owners } = connectionsOf(sharing);
    expect(listener).toBeUndefined();
    const machine = { cluster: 'lab', vmid: 100 };
    const claimed = await owners.claim(machine, { signal });
    if (!('owned' in claimed)) throw new Error('not owned');
    const { owners: others } = connectionsOf({});
    expect(await others.claim(machine, { signal })).toMatchObject({ owner: { address: undefined } });
    await claimed.owned.release();
  }
});

test('a relay finds the owner of a machine in the store, and its viewer gets the console there', async () => {
  const port = await freePort();
  const address = `${host}:${port}`;
  const owner = connectionsOf({ internalAddress: address, internalListen: address });
  const relay = connectionsOf({});
  await owner.listener?.start?.();
  const machine = { cluster: 'lab', vmid: 101 };
  const claimed = await owner.owners.claim(machine, { signal });
  const found = await relay.owners.claim(machine, { signal });
  if (!('owned' in claimed) || !('owner' in found) || found.owner.address === undefined)
    throw new Error('the owner is not found');
  const link = await relay.forward(found.owner.address, {
    claims: aGrant(clock, machine),
    signal,
    onNotice: () => {},
  });
  const received: Buffer[] = [];
  link.setHandler({
    onBytes: (source, start, end) => received.push(Buffer.from(source.subarray(start, end))),
    onEnded: () => {},
  });
  link.send(Buffer.from([1]));
  await eventually(() => expect(Buffer.concat(received)).toEqual(serverInit));
  link.destroy();
  let stopped = false;
  void owner.listener?.stop?.().then(() => (stopped = true));
  await eventually(() => {
    // The drain waits for its turn.
    clock.advance(100);
    expect(stopped).toBe(true);
  });
  await claimed.owned.release();
  expect(clock.pending()).toBe(0);
});
