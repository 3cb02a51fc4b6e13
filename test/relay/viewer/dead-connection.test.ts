import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { createRelayRig, testOrigin } from '../rig.ts';
import type { RfbClient } from '../../fakes/guests/rfb-client.ts';
import { connectConsole, type ConsoleClient } from '../console-client.ts';

/**
 * A proxy between browser and relay. After `drop`, it forwards nothing and closes nothing, like a network that drops
 * packets.
 */
async function startProxy(relayPort: number) {
  const ends: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (browser) => {
    const relay = connect({ port: relayPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const [from, to] of [
      [browser, relay],
      [relay, browser],
    ] as const)
      from.on('error', () => {}).on('data', (bytes: Buffer) => void to.write(bytes));
    ends.push(browser, relay);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    drop: () => ends.forEach((end) => end.removeAllListeners('data').pause()),
    close() {
      for (const end of ends) end.destroy();
      server.close();
    },
  };
}

test('a browser whose connection drops all packets is disconnected within a minute, and others are not affected', async () => {
  const clock = createFakeClock(Date.now());
  const rig = await createRelayRig({ clock });
  const proxy = await startProxy(Number(new URL(rig.url).port));
  const others: { client: ConsoleClient; rfb: RfbClient }[] = [];
  // One after the other, because a queued console would wait for the clock, which stands still.
  for (let i = 0; i < 5; i++) {
    const client = await rig.open();
    others.push({ client, rfb: await client.rfb() });
  }
  const dead = connectConsole({
    url: rig.url.replace(/:\d+\//, `:${proxy.port}/`),
    token: await rig.mint(),
    origin: testOrigin,
  });
  await dead.rfb();
  expect(rig.proxmox.openConsoles()).toBe(6);
  proxy.drop();
  for (let seconds = 0; seconds < 60; seconds += 20) {
    clock.advance(20_000);
    // The other viewers answer pings and request updates.
    for (const { rfb } of others) {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
  }
  await eventually('only the other consoles are open', () => rig.proxmox.openConsoles() === 5);
  for (const { client } of others) expect(client.socket.readyState).toBe(client.socket.OPEN);
  // A drain would wait for the clock, which stands still.
  for (const { client } of others) client.close();
  await eventually('no console is open', () => rig.proxmox.openConsoles() === 0);
  proxy.close();
  await rig.stop();
}, 120_000);
