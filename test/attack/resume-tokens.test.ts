import { once } from 'node:events';
import { storeKeys } from '@porthole/shared/store/keys';
import { eventually } from '../eventually.ts';
import { createFakeClock } from '../fakes/clock.ts';
import type { RfbClient } from '../fakes/guests/rfb-client.ts';
import type { ConsoleClient } from '../relay/console-client.ts';
import { createRelayRig } from '../relay/rig.ts';
import { rounds } from './rounds.ts';
import { threat } from './threat-table.ts';

const tokensOf = ({ messages }: ConsoleClient) =>
  messages.flatMap((message) => (message.type === 'resume' ? [message.token] : []));

describe(threat('G5'), () => {
  /** Whatever the relay sent before, to the viewer and to Proxmox, is answered. */
  async function roundTrip({ socket }: ConsoleClient, rfb: RfbClient): Promise<void> {
    rfb.requestUpdate(false);
    await rfb.nextUpdate();
    const answered = once(socket, 'pong');
    socket.ping();
    await answered;
  }

  test.each([
    ['answers every ping', true],
    ['answers no ping', false],
  ])('a viewer that %s never has more than two valid tokens', async (_what, answers) => {
    const clock = createFakeClock(Date.now());
    const rig = await createRelayRig({ clock });
    const limits = { sessionSeconds: 1e6, idleSeconds: 1e6, perUser: 9, perMachine: 9 };
    const client = await rig.open({ limits });
    const rfb = await client.rfb();
    await eventually('the viewer has a resume token', () => tokensOf(client).length > 0);
    const noPong = (_data: unknown, _mask: unknown, sent?: () => void) => sent?.();
    if (!answers) Object.assign(client.socket, { pong: noPong });
    const valid = async () => {
      const keys = tokensOf(client).map((token) => storeKeys.grant(Buffer.from(token, 'base64url')));
      const found = await Promise.all(keys.map((key) => rig.store.records.get(key)));
      return found.filter((sealed) => sealed !== undefined).length;
    };
    for (let step = 0; step < rounds(15); step++) {
      const sent = tokensOf(client).length;
      clock.advance(20_000);
      await roundTrip(client, rfb);
      await eventually('the older tokens are revoked', async () => (await valid()) <= 2);
      if (answers && step % 2 === 1) await eventually('a new one came', () => tokensOf(client).length > sent);
    }
    if (answers) expect(tokensOf(client).length).toBeGreaterThan(4);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    client.close();
    // The drain of a relay takes time, and this clock stands still.
    await eventually('nothing is left', () => rig.proxmox.openConsoles() === 0);
    await rig.stop();
  });
});
