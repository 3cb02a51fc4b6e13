import { eventually } from '../../eventually.ts';
import { useRelayRigs } from '../rig.ts';
import { closeOf, expectClose } from './expect-close.ts';

const start = useRelayRigs();

test('4503: a console that waits longer than the queue timeout closes', async () => {
  const rig = await start({ limits: { queueSeconds: 1 } });
  rig.proxmox.stallConsole(100);
  const first = await rig.open();
  await eventually('the first console is being opened', () => first.messages.length > 0);
  const second = await rig.open();
  await eventually('the second one has its queue position', () => second.messages.length > 0);
  expect(second.messages[0]).toEqual({ type: 'queued', position: 1 });
  expect(await second.closed).toEqual(closeOf('queue_timeout'));
  first.socket.terminate();
});

test('4503: a console closes if the queue of the relay is full', async () => {
  const rig = await start({ limits: { queuedPerRelay: 1 } });
  rig.proxmox.stallConsole(100);
  const first = await rig.open();
  await eventually('the first console is being opened', () => first.messages.length > 0);
  const second = await rig.open();
  await eventually('the second one is queued', () => second.messages.length > 0);
  expect(await (await rig.open()).closed).toEqual(closeOf('queue_full'));
  first.socket.terminate();
  second.socket.terminate();
});

test.each([
  ['user_limit', { perUser: 1, perMachine: 9 }],
  ['machine_limit', { perUser: 9, perMachine: 1 }],
] as const)(
  '4429: a console above the quota closes (%s), and a closed one frees its lease',
  async (error, quota) => {
    const rig = await start();
    const limits = { sessionSeconds: 60, idleSeconds: 60, ...quota };
    const first = await rig.open({ limits });
    await first.rfb();
    expect(await (await rig.open({ limits })).closed).toEqual(closeOf(error));
    first.close();
    await eventually('the lease is free', async () => {
      const next = await rig.open({ limits });
      return next.rfb().then(
        () => true,
        () => false,
      );
    });
  },
);

test('4429: a console closes if the relay has as many as it may have', async () => {
  const rig = await start({ limits: { consolesPerRelay: 1 } });
  const first = await rig.open();
  await first.rfb();
  expect(await (await rig.open()).closed).toEqual(closeOf('relay_full'));
  first.close();
});

test('4408: a console without input for the allowed time closes', async () => {
  const rig = await start();
  const client = await rig.open({
    limits: { sessionSeconds: 60, idleSeconds: 1, perUser: 9, perMachine: 9 },
  });
  await client.rfb();
  await expectClose(rig, client, 'idle');
});

test('4410: a console closes at the end of its session time, even if it is in use', async () => {
  const rig = await start();
  const client = await rig.open({
    limits: { sessionSeconds: 1, idleSeconds: 60, perUser: 9, perMachine: 9 },
  });
  const rfb = await client.rfb();
  rfb.type('busy');
  await expectClose(rig, client, 'time_limit');
});
