import { eventually } from '../eventually.ts';
import { startRedisServer, type RedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { signInHere } from './person.ts';
import { holdGrant, isTold, openAgain, useBrowser, useScene } from './scene.ts';

describeWith('chromium')('a console that ends because of its relay', () => {
  const browser = useBrowser();

  describe('which leaves', () => {
    const scene = useScene(browser);

    test('1012: a rollout of relays shows nobody a word', async () => {
      const { student, stack, one } = scene;
      await student.openConsole(100);
      await student.page.evaluate(() => {
        // Everything that is said in front of the screen, from now on.
        const said: string[] = [];
        Object.assign(window, { said });
        new MutationObserver(() => {
          for (const each of document.querySelectorAll('.veil h1')) said.push(each.textContent ?? '');
        }).observe(document.body, { subtree: true, childList: true });
      });
      await stack.rollRelay();
      await student.closedWith(1012);
      await eventually('it is open again', () => student.sockets() === 2);
      await student.reaches('open');
      await student.page.locator('body[data-quiet=false]').waitFor();
      expect(await student.page.evaluate(() => Reflect.get(window, 'said') as string[])).toEqual([]);
      await student.type('still here');
      await eventually('it is typed', () => one.keys().endsWith('still here'));
    });

    test('a line that breaks is back at once: the same session, and nothing is asked of the broker', async () => {
      const { student, stack, one } = scene;
      const grants: string[] = [];
      student.page.on('request', (request) => {
        if (request.url().endsWith('/grants')) grants.push(request.url());
      });
      await student.openConsole(100);
      stack.cutLines();
      await student.closedWith(1006);
      await eventually('it is open again', () => student.sockets() === 2);
      await student.reaches('open');
      await student.page.locator('body[data-quiet=false]').waitFor();
      await student.type('still here');
      await eventually('it is typed', () => one.keys().endsWith('still here'));
      expect(grants).toHaveLength(1);
      const opened = stack.logged
        .map((line) => JSON.parse(line) as { msg?: string; session?: string; resumed?: boolean })
        .filter(({ msg }) => msg === 'console opened')
        .slice(-2);
      expect(opened.map(({ resumed }) => resumed)).toEqual([false, true]);
      expect(new Set(opened.map(({ session }) => session)).size).toBe(1);
    });
  });

  describe('which has a fault', () => {
    let broken = false;
    const scene = useScene(browser, {
      relayStore: (store) => ({
        ...store,
        records: {
          ...store.records,
          take: (key) => (broken ? Promise.reject(new TypeError('a fault')) : store.records.take(key)),
        },
      }),
    });

    test('1011: something that nobody foresaw', async () => {
      const { student, stack } = scene;
      broken = true;
      await student.visitConsole(100);
      await isTold(student, 'internal');
      await student.page.getByRole('link', { name: 'Your machines', exact: true }).waitFor();
      expect(stack.logged.join('')).toContain('a fault');
      broken = false;
      await openAgain(student);
      await student.reaches('open');
    });
  });
});

describeWith('chromium', 'redis')('a console while Redis is away', () => {
  const browser = useBrowser();
  let redis: RedisServer;
  const options = { redisUrl: '' };
  beforeAll(async () => {
    redis = await startRedisServer();
    options.redisUrl = redis.url;
  });
  const scene = useScene(browser, options);
  afterAll(() => redis.stop());

  test('goes on when it is open', async () => {
    const { student, one } = scene;
    await student.openConsole(100);
    redis.pause();
    await student.type('no Redis');
    await eventually('it is typed', () => one.keys().endsWith('no Redis'));
    redis.resume();
    await student.type(', and again');
    await eventually('it is typed', () => one.keys().endsWith('no Redis, and again'));
    await student.reaches('open');
  });

  test('1013: is not opened; the page tries again and succeeds when Redis is back', async () => {
    const { student } = scene;
    const { granted, release } = await holdGrant(student);
    await student.visitConsole(100);
    await granted;
    redis.pause();
    release();
    await isTold(student, 'store_unavailable');
    await student.reaches('retrying');
    redis.resume();
    await student.reaches('open');
  });

  test('says so in the words of the broker, too', async () => {
    const { student } = scene;
    redis.pause();
    await student.visitConsole(100);
    await student.reads('Part of the service is temporarily unavailable.');
    redis.resume();
    await student.reaches('open');
  });

  test('a Redis that forgot everything means to sign in again, and then the console opens', async () => {
    const { student } = scene;
    await student.openConsole(100);
    await redis.kill();
    await redis.restart();
    await student.reaches('open');
    await student.page.reload();
    await signInHere(student);
    await student.reaches('open');
  });
});
