import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import { eventually } from '../../eventually.ts';
import { useRelayRigs } from '../rig.ts';

const start = useRelayRigs();

test.each<[string, Buffer, CloseName]>([
  ['an unknown message', Buffer.from([77, 0, 0, 0]), 'protocol'],
  ['a clipboard text of two mebibytes', Buffer.from([6, 0, 0, 0, 0, 32, 0, 0]), 'too_big'],
  ['too many encodings', Buffer.from([2, 0, 255, 255]), 'too_big'],
])('1002 and 1009: a viewer that sends %s is closed', async (_, bytes, close) => {
  const rig = await start();
  const client = await rig.open();
  const rfb = await client.rfb();
  rfb.send(bytes);
  expect((await client.closed).code).toBe(closeCodes[close].code);
  await eventually('Proxmox has no open console', () => rig.proxmox.openConsoles() === 0);
});

test('a viewer that leaves while its console is being opened leaves nothing behind', async () => {
  const rig = await start();
  rig.proxmox.stallConsole(100);
  const client = await rig.open();
  await eventually('the console is being opened', () =>
    client.messages.some(({ type }) => type === 'opening'),
  );
  client.socket.terminate();
  rig.proxmox.stallConsole(100, false);
  const next = await rig.open();
  await next.rfb();
  expect(await rig.metrics()).toContain('porthole_relay_closes_total{close="by_viewer"} 1');
  next.close();
});

test('a viewer that does not answer the close frame is disconnected', async () => {
  const rig = await start({ deadlines: { closeAnswer: 300 } });
  const client = await rig.open();
  await client.rfb();
  client.socket.pause(); // It reads nothing, so it never answers.
  await rig.guest.stop();
  // A socket that is not read notices the end when it writes.
  await eventually('the socket is closed', () => {
    if (client.socket.readyState === client.socket.OPEN) client.socket.ping();
    return client.socket.readyState !== client.socket.OPEN;
  });
});
