import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { eventually } from '../../eventually.ts';
import { createFakeClock } from '../../fakes/clock.ts';
import { createRelayRig, testOrigin } from '../rig.ts';
import type { RfbClient } from '../../fakes/guests/rfb-client.ts';
import { connectConsole, type ConsoleClient } from '../console-client.ts';

/** A line between a browser and the relay that goes dead: nobody hears of the other any more, and nobody is told. */
async function aLine(target: number) {
  const ends: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (browser) => {
    const relay = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
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
    goDead: () => ends.forEach((end) => end.removeAllListeners('data').pause()),
    close() {
      for (const end of ends) end.destroy();
      server.close();
    },
  };
}

test('a browser that vanishes without a word is found within a minute, and nobody beside it notices', async () => {
  const clock = createFakeClock(Date.now());
  const rig = await createRelayRig({ clock });
  const line = await aLine(Number(new URL(rig.url).port));
  const honest: { client: ConsoleClient; rfb: RfbClient }[] = [];
  // One after the other: time stands still, and nobody waits in line.
  for (let i = 0; i < 5; i++) {
    const client = await rig.open();
    honest.push({ client, rfb: await client.rfb() });
  }
  const gone = connectConsole({
    url: rig.url.replace(/:\d+\//, `:${line.port}/`),
    token: await rig.mint(),
    origin: testOrigin,
  });
  await gone.rfb();
  expect(rig.proxmox.openConsoles()).toBe(6);
  line.goDead();
  for (let seconds = 0; seconds < 60; seconds += 20) {
    clock.advance(20_000);
    // Those who are there answer the ping, and go on with what they do.
    for (const { rfb } of honest) {
      rfb.requestUpdate(false);
      await rfb.nextUpdate();
    }
  }
  await eventually('only those who are there are left', () => rig.proxmox.openConsoles() === 5);
  for (const { client } of honest) expect(client.socket.readyState).toBe(client.socket.OPEN);
  // A relay says farewell at its own pace, and its time stands still.
  for (const { client } of honest) client.close();
  await eventually('nobody is left', () => rig.proxmox.openConsoles() === 0);
  line.close();
  await rig.stop();
}, 120_000);
