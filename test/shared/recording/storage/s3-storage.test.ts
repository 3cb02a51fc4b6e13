import { createS3Storage, type S3Options } from '@porthole/shared/recording/storage/s3-storage';
import type { RecordingStorage } from '@porthole/shared/recording/storage/port';
import { systemClock } from '@porthole/shared/time/clock';
import { createFakeClock } from '../../../fakes/clock.ts';
import { startS3Server, type S3Server } from '../../../fakes/s3-server.ts';
import { startUnreliableProxy } from '../../../fakes/unreliable-proxy.ts';
import { eventually } from '../../../eventually.ts';
import { describeWith } from '../../../needs.ts';
import { everythingIn, rejectionOf } from '../../store/store-harness.ts';
import { collect, describeStorage } from './describe-storage.ts';

const optionsFor = (server: S3Server, other: Partial<S3Options> = {}): S3Options => ({
  endpoint: server.endpoint,
  region: 'us-east-1',
  bucket: server.bucket,
  prefix: '',
  pathStyle: true,
  accessKeyId: () => server.accessKeyId,
  secretAccessKey: () => server.secretAccessKey,
  ...other,
});

describeWith('versitygw')('recordings in S3', () => {
  let server: S3Server;
  const opened: RecordingStorage[] = [];
  const open = (
    other?: Partial<S3Options>,
    deps: Parameters<typeof createS3Storage>[1] = { clock: systemClock },
  ) => {
    const storage = createS3Storage(optionsFor(server, other), deps);
    opened.push(storage);
    return storage;
  };

  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(async () => {
    for (const storage of opened) await storage.close();
    await server.stop();
  });

  describeStorage('S3 with a prefix', async () => ({
    storage: open({ prefix: 'porthole/lab/' }),
    withoutPlace: open({ bucket: 'no-such-bucket' }),
    async stop() {},
  }));

  test('a storage with a prefix sees only its own objects', async () => {
    await open({ prefix: 'mine/' }).put('a/1', Buffer.from('1'));
    await open({ prefix: 'theirs/' }).put('b/1', Buffer.from('1'));
    expect((await collect(open({ prefix: 'mine/' }).list(''))).map(({ name }) => name)).toEqual(['a/1']);
  });

  test('wrong credentials are denied, and no error contains them', async () => {
    for (const wrong of [
      { secretAccessKey: () => 'wrong-secret-0123456789' },
      { accessKeyId: () => 'wrong-access-key' },
    ]) {
      const storage = open(wrong);
      const calls = [
        () => storage.put('a/1', Buffer.from('1')),
        () => storage.get('a/1'),
        () => collect(storage.list('')),
      ];
      for (const call of calls) {
        const error = await rejectionOf(call());
        expect(error).toMatchObject({ name: 'StorageError', code: 'denied' });
        expect(everythingIn(error)).not.toMatch(/wrong-|Signature=|127\.0\.0\.1/);
      }
    }
  });

  test('rotated credentials work without a restart', async () => {
    let secret = 'wrong-secret-0123456789';
    const storage = open({ secretAccessKey: () => secret });
    await expect(storage.put('rotated/1', Buffer.from('1'))).rejects.toMatchObject({ code: 'denied' });
    secret = server.secretAccessKey;
    await storage.put('rotated/1', Buffer.from('1'));
  });

  test('an answer that does not come in time is unavailable, and the call ends', async () => {
    const proxy = await startUnreliableProxy(server.port);
    const clock = createFakeClock();
    const endpoint = new URL(`http://127.0.0.1:${proxy.port}`);
    // The server refuses requests whose signature is older than its own clock by much.
    const storage = open({ endpoint }, { clock: { ...clock, now: () => Date.now() }, timeoutMs: 10_000 });
    try {
      proxy.holdAnswers();
      const late = rejectionOf(storage.put('slow/1', Buffer.from('1')));
      await eventually('the call waits', () => clock.pending() === 1);
      clock.advance(10_000);
      expect(await late).toMatchObject({ code: 'unavailable' });
      expect(clock.pending()).toBe(0);

      const controller = new AbortController();
      const reason = new Error('drained');
      const aborted = rejectionOf(storage.put('slow/2', Buffer.from('1'), { signal: controller.signal }));
      controller.abort(reason);
      expect(await aborted).toBe(reason);

      proxy.passAnswers();
      await storage.put('slow/3', Buffer.from('1'));
    } finally {
      await proxy.stop();
    }
  });

  test('an interrupted upload leaves the previous object', async () => {
    const proxy = await startUnreliableProxy(server.port);
    const storage = open({ endpoint: new URL(`http://127.0.0.1:${proxy.port}`) });
    try {
      await storage.put('cut/1', Buffer.from('previous'));
      proxy.cutAfter(200_000);
      await expect(storage.put('cut/1', Buffer.alloc(1_000_000))).rejects.toMatchObject({
        code: 'unavailable',
      });
      expect((await storage.get('cut/1')).toString()).toBe('previous');
      proxy.cutAfter(undefined);
      await storage.put('cut/1', Buffer.alloc(1_000_000));
      expect(await storage.get('cut/1')).toHaveLength(1_000_000);
    } finally {
      await proxy.stop();
    }
  });

  test('a server that was away is used again when it is back', async () => {
    const storage = open();
    await storage.put('away/1', Buffer.from('1'));
    await server.kill();
    await expect(storage.put('away/2', Buffer.from('2'))).rejects.toMatchObject({ code: 'unavailable' });
    await server.restart();
    await storage.put('away/2', Buffer.from('2'));
    expect((await collect(storage.list('away/'))).map(({ name }) => name)).toEqual(['away/1', 'away/2']);
  });
});
