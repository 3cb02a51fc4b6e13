import { once } from 'node:events';
import { eventually } from '../../eventually.ts';
import { useRelayRigs } from '../rig.ts';

const start = useRelayRigs();

describe('a control message of a viewer', () => {
  test.each([
    ['is of an unknown type', '{"type":"reboot"}', 1002],
    ['has an unknown field', '{"type":"extend","by":3600}', 1002],
    ['is not JSON', 'extend', 1002],
    ['is too long', `{"type":"extend"}${' '.repeat(300)}`, 1009],
  ])('closes the console if it %s', async (_, text, code) => {
    const rig = await start();
    const client = await rig.open();
    await client.rfb();
    client.socket.send(text);
    expect((await client.closed).code).toBe(code);
  });

  test('that is a ping is answered with a pong, before and after the console is open', async () => {
    const rig = await start();
    const client = await rig.open();
    const pongs = () => client.messages.filter(({ type }) => type === 'pong').length;
    await once(client.socket, 'open');
    client.socket.send('{"type":"ping"}');
    await eventually('the first pong', () => pongs() === 1);
    await client.rfb();
    client.socket.send('{"type":"ping"}');
    await eventually('the second pong', () => pongs() === 2);
    client.close();
  });

  test('is accepted sixty times in ten seconds', async () => {
    const rig = await start();
    const client = await rig.open();
    await client.rfb();
    for (let i = 0; i < 60; i++) client.socket.send('{"type":"extend"}');
    const pong = new Promise((resolve) => client.socket.once('pong', resolve));
    client.socket.ping();
    await pong;
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    client.socket.send('{"type":"extend"}');
    expect((await client.closed).code).toBe(1002);
  });

  test('closes the console of a plain viewer', async () => {
    const rig = await start();
    const plain = rig.connect({ token: await rig.mint(), protocols: ['binary'] });
    await plain.rfb();
    plain.socket.send('{"type":"extend"}');
    expect((await plain.closed).code).toBe(1002);
  });

  test('has no effect on others if its viewer is being refused', async () => {
    const rig = await start({ limits: { consolesPerRelay: 1 } });
    const client = await rig.open();
    await client.rfb();
    const refused = rig.connect({ token: await rig.mint() });
    refused.socket.on('open', () => refused.socket.send('{"type":"extend"}'));
    expect((await refused.closed).code).toBe(4429);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    client.close();
  });
});
