import { keepAliveRequest } from '@porthole/relay/rfb/screen-protocol';
import { startKeepAlive } from '@porthole/relay/upstream/keep-alive';
import { setTimeout as pause } from 'node:timers/promises';
import { createFakeClock } from '../../fakes/clock.ts';
import { createRelayRig } from '../rig.ts';

test('a keep-alive message is sent to an idle console, and none to a busy one', () => {
  const clock = createFakeClock();
  let sent = 0;
  const idle = { forwarded: 0, sendKeepAlive: () => sent++ };
  const cancel = startKeepAlive({ clock, everyMs: 1000 }, idle);
  for (let round = 0; round < 3; round++) {
    idle.forwarded += 10;
    clock.advance(1000);
  }
  expect(sent).toBe(0);
  clock.advance(3000);
  expect(sent).toBe(3);
  cancel();
  expect(clock.pending()).toBe(0);
});

test('the keep-alive message of a screen is an incremental update request', () => {
  expect(keepAliveRequest).toHaveLength(10);
  expect([...keepAliveRequest.subarray(0, 2)]).toEqual([3, 1]);
});

test('“my console closes by itself while I read”: a still screen stays open beyond the idle limit of Proxmox', async () => {
  const rig = await createRelayRig({ proxmox: { idleSeconds: 1 }, deadlines: { keepAlive: 200 } });
  const client = await rig.open();
  const rfb = await client.rfb();
  // No requests and no input for more than twice the limit.
  await pause(2500);
  expect(client.socket.readyState).toBe(client.socket.OPEN);
  rfb.requestUpdate(false);
  await rfb.nextUpdate();
  client.close();
  await rig.stop();
});

test('without keep-alive messages, Proxmox ends a still console', async () => {
  const rig = await createRelayRig({ proxmox: { idleSeconds: 1 }, deadlines: { keepAlive: 60_000 } });
  const client = await rig.open();
  await client.rfb();
  expect((await client.closed).code).toBe(4504);
  await rig.stop();
});
