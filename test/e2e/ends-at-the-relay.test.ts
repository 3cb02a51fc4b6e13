import { eventually } from '../eventually.ts';
import { startRedisServer, type RedisServer } from '../fakes/redis-server.ts';
import { describeWith } from '../needs.ts';
import { signInHere } from './browser-user.ts';
import { holdGrant, showsError, openAgain, useBrowser, useScene } from './scene.ts';

describeWith('chromium')('a console, when its relay ends', () => {
  const browser = useBrowser();

  describe('because of a rollout or a network error', () => {
    const scene = useScene(browser);

    test('1012: a rollout shows the user no message', async () => {
      const { student, stack, one } = scene;
      await student.openConsole(100);
      await student.page.evaluate(() => {
        // All headings in front of the screen, from now on.
        const headings: string[] = [];
        Object.assign(window, { headings });
        new MutationObserver(() => {
          for (const each of document.querySelectorAll('.veil h1')) headings.push(each.textContent ?? '');
        }).observe(document.body, { subtree: true, childList: true });
      });
      await stack.rollRelay();
      await student.closedWith(1012);
      await eventually('the page has reconnected', () => student.sockets() === 2);
      await student.waitForState('open');
      await student.page.locator('body[data-interruption=none]').waitFor();
      expect(await student.page.evaluate(() => Reflect.get(window, 'headings') as string[])).toEqual([]);
      await student.type('still here');
      await eventually('the keys arrive', () => one.keys().endsWith('still here'));
    });

    test('a broken connection is resumed at once, in the same session and without the broker', async () => {
      const { student, stack, one } = scene;
      const grants: string[] = [];
      student.page.on('request', (request) => {
        if (request.url().endsWith('/grants')) grants.push(request.url());
      });
      await student.openConsole(100);
      stack.cutConnections();
      await student.closedWith(1006);
      await eventually('the page has reconnected', () => student.sockets() === 2);
      await student.waitForState('open');
      await student.page.locator('body[data-interruption=none]').waitFor();
      await student.type('still here');
      await eventually('the keys arrive', () => one.keys().endsWith('still here'));
      expect(grants).toHaveLength(1);
      const opened = stack.logged
        .map((line) => JSON.parse(line) as { msg?: string; session?: string; resumed?: boolean })
        .filter(({ msg }) => msg === 'console opened')
        .slice(-2);
      expect(opened.map(({ resumed }) => resumed)).toEqual([false, true]);
      expect(new Set(opened.map(({ session }) => session)).size).toBe(1);
    });
  });

  describe('because of a fault', () => {
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

    test('1011: an unexpected error', async () => {
      const { student, stack } = scene;
      broken = true;
      await student.visitConsole(100);
      await showsError(student, 'internal');
      await student.page.getByRole('link', { name: 'Your machines', exact: true }).waitFor();
      expect(stack.logged.join('')).toContain('a fault');
      broken = false;
      await openAgain(student);
      await student.waitForState('open');
    });
  });
});

describeWith('chromium', 'redis')('a console while Redis is down', () => {
  const browser = useBrowser();
  let redis: RedisServer;
  const options = { redisUrl: '' };
  beforeAll(async () => {
    redis = await startRedisServer();
    options.redisUrl = redis.url;
  });
  const scene = useScene(browser, options);
  afterAll(() => redis.stop());

  test('stays open', async () => {
    const { student, one } = scene;
    await student.openConsole(100);
    redis.pause();
    await student.type('no Redis');
    await eventually('the keys arrive', () => one.keys().endsWith('no Redis'));
    redis.resume();
    await student.type(', and again');
    await eventually('the keys arrive', () => one.keys().endsWith('no Redis, and again'));
    await student.waitForState('open');
  });

  test('1013: is not opened; the page retries and succeeds when Redis is back', async () => {
    const { student } = scene;
    const { granted, release } = await holdGrant(student);
    await student.visitConsole(100);
    await granted;
    redis.pause();
    release();
    await showsError(student, 'store_unavailable');
    await student.waitForState('retrying');
    redis.resume();
    await student.waitForState('open');
  });

  test("shows the broker's message", async () => {
    const { student } = scene;
    redis.pause();
    await student.visitConsole(100);
    await student.hasHeading('Part of the service is temporarily unavailable.');
    redis.resume();
    await student.waitForState('open');
  });

  test('opens after a new sign-in when Redis has lost its data', async () => {
    const { student } = scene;
    await student.openConsole(100);
    await redis.kill();
    await redis.restart();
    await student.waitForState('open');
    await student.page.reload();
    await signInHere(student);
    await student.waitForState('open');
  });
});
