import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createForwardViewer } from '@porthole/relay/sharing/forward-viewer';
import { createSharingMetrics } from '@porthole/relay/sharing/sharing-metrics';
import { systemRandom } from '@porthole/shared/crypto/random';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createRegistry } from '@porthole/shared/telemetry/metrics';
import { noTracing } from '@porthole/shared/telemetry/tracing';
import { systemClock } from '@porthole/shared/time/clock';
import { eventually } from '../../eventually.ts';
import { freePort } from '../../free-port.ts';
import { inTime, timed } from '../../in-time.ts';
import { aGrant } from '../rig.ts';
import { grantKey } from './forward-rig.ts';

const children: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(
    children.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }),
  );
});

/** A viewer that is forwarded to an owner in another process. */
async function forwardToProcess() {
  const port = await freePort();
  const child = fork(
    fileURLToPath(new URL('./owner-process.ts', import.meta.url)),
    [String(port), grantKey],
    {
      execArgv: ['--conditions=source'],
    },
  );
  children.push(child);
  await once(child, 'message');
  const { records } = createMemoryStore({ clock: systemClock });
  child.on('message', ({ take }: { take: string }) => {
    void records.take(take).then((taken) => child.send({ taken }));
  });
  const forwardViewer = createForwardViewer({
    records,
    keys: () => [grantKey],
    random: systemRandom,
    clock: systemClock,
    tracing: noTracing,
    metrics: createSharingMetrics(createRegistry()),
    // Its start takes long on a busy machine.
    connectMs: 30_000,
  });
  const link = await forwardViewer(`127.0.0.1:${port}`, {
    claims: aGrant(systemClock),
    signal: new AbortController().signal,
    onNotice: () => {},
  });
  const { promise: ended, resolve } = Promise.withResolvers<string | undefined>();
  const received: Buffer[] = [];
  link.setHandler({
    onBytes: (source, start, end) => received.push(Buffer.from(source.subarray(start, end))),
    onEnded: (error) => resolve(error?.code),
  });
  link.send(Buffer.from([1]));
  await eventually(() => expect(Buffer.concat(received).toString()).toBe('ServerInit'));
  return { child, ended };
}

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'a relay notices within 6 s that the owner got %s',
  async (signal) => {
    // 5 s, and one for a busy machine.
    await inTime(6000, async () => {
      const { child, ended } = await forwardToProcess();
      child.kill(signal);
      return timed(async () => expect(await ended).toBe('screen_moved'));
    });
  },
);
