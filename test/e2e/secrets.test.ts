import { eventually } from '../eventually.ts';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { startRedisServer, type RedisServer } from '../fakes/redis-server.ts';
import { startBrowser, type Browser } from '../web/browser.ts';
import { findLeaks, type SearchedTexts } from './find-leaks.ts';
import { describeWith } from '../needs.ts';
import { openBrowserUser, signInHere, type BrowserUser } from './browser-user.ts';
import { password, proxmoxAccount } from './stack-config.ts';
import { startStack, type Stack } from './stack.ts';
import { observeRedis, type RedisObserver } from './observe-redis.ts';

const cases = (['token', 'password'] as const).flatMap((credential) =>
  (['new', 'old'] as const).map((mode) => ({ credential, mode })),
);

describeWith('chromium', 'redis')('secrets', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.stop());

  describe.each(cases)(
    'with a $credential, at a Proxmox with $mode console tickets',
    ({ credential, mode }) => {
      let redis: RedisServer;
      let watch: RedisObserver;
      let stack: Stack;
      let student: BrowserUser;
      /** The texts to search, and the name of each secret. */
      let places: SearchedTexts;
      const secrets = {
        ofProxmox: new Map<string, string>(),
        ofPorthole: new Map<string, string>(),
        ofTheBrowser: new Map<string, string>(),
      };

      beforeAll(async () => {
        redis = await startRedisServer();
        watch = await observeRedis(redis);
        const guest = (name: string, style: 'qemu' | 'vncterm') => createBuiltinGuest({ name, style });
        stack = await startStack({
          machines: [
            { vmid: 100, node: 'pve1', name: 'student-vm', guest: guest('student-vm', 'qemu') },
            {
              vmid: 101,
              node: 'pve2',
              name: 'student-ct',
              type: 'lxc',
              guest: guest('student-ct', 'vncterm'),
            },
          ],
          proxmox: { mode },
          credential,
          separate: true,
          redisUrl: redis.url,
        });
        await runOfALesson();
        await student.received.complete();
        places = {
          'the browser': [...student.received.answers, ...student.received.frames],
          'the log': stack.logged,
          Redis: [...watch.commands, ...(await watch.contents())],
        };
        nameSecrets();
      }, 60_000);

      /** Opens consoles that work, one that Proxmox refuses and one that it drops: errors can reveal secrets. */
      async function runOfALesson(): Promise<void> {
        const { proxmox } = stack;
        student = await openBrowserUser(browser, stack.origin, { recordAnswers: true });
        await student.page.goto(stack.origin);
        await signInHere(student);
        await student.page.locator('body[data-page=machines]').waitFor();
        await student.openConsole(100);
        await student.type('hello');
        await student.openConsole(101);
        await student.openConsole(100, 'view');
        proxmox.refuseVncproxy(100, { status: 500, message: 'got no worker upid' });
        await student.visitConsole(100);
        await student.waitForState('ended');
        proxmox.refuseVncproxy(100, null);
        proxmox.rotateKey();
        await student.openConsole(100);
        const sockets = student.sockets();
        proxmox.dropConsoles(100);
        await eventually('the page has reconnected', () => student.sockets() > sockets);
        await student.waitForState('open');
      }

      function nameSecrets(): void {
        const { userid: _public, token: _alsoPublic, ...private_ } = proxmoxAccount;
        for (const secret of stack.proxmox.issuedSecrets())
          secrets.ofProxmox.set(secret, 'a secret of Proxmox');
        for (const secret of Object.values(private_)) secrets.ofProxmox.set(secret, 'a credential');
        secrets.ofPorthole.set(stack.grantKey, 'the grant key');
        secrets.ofPorthole.set(password, 'the password of a person');
        const received = student.received.answers.join('\n');
        for (const [, token] of received.matchAll(/porthole\.grant\.([\w-]{43})/g))
          if (token) secrets.ofTheBrowser.set(token, 'a grant');
        for (const frame of student.received.frames)
          for (const [, token] of frame.toString().matchAll(/"type":"resume","token":"([\w-]{43})"/g))
            if (token) secrets.ofTheBrowser.set(token, 'a resume token');
        for (const [, cookie] of received.matchAll(/porthole=([\w-]{43})/g))
          if (cookie) secrets.ofTheBrowser.set(cookie, 'a login cookie');
      }

      afterAll(async () => {
        await student?.close();
        await stack?.stop();
        watch?.stop();
        await redis?.stop();
      });

      test('of Proxmox and Porthole are not sent to the browser, the log or Redis', () => {
        expect(secrets.ofProxmox.size).toBeGreaterThan(mode === 'new' ? 10 : 5);
        expect(findLeaks(secrets.ofProxmox, places)).toEqual([]);
        expect(findLeaks(secrets.ofPorthole, places)).toEqual([]);
      });

      test('of the browser are not in the log or in Redis', () => {
        const { 'the browser': _own, ...others } = places;
        expect(new Set(secrets.ofTheBrowser.values())).toEqual(
          new Set(['a grant', 'a resume token', 'a login cookie']),
        );
        expect(secrets.ofTheBrowser.size).toBeGreaterThan(5);
        expect(findLeaks(secrets.ofTheBrowser, others)).toEqual([]);
      });

      test('would have been found: all texts were searched', () => {
        const seen = (place: string) =>
          (places[place] ?? [])
            .map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
            .join();
        expect(seen('the browser')).toContain('RFB 003.008');
        expect(seen('the browser')).toContain('student-vm');
        expect(seen('the log')).toContain('console opened');
        expect(seen('the log')).toContain('got no worker upid');
        expect(seen('Redis')).toContain('porthole:grant:');
        expect(seen('Redis')).toContain('porthole:login:');
        expect(seen('Redis')).toContain('porthole:session:');
        // The search finds secrets that the browser may have.
        const { 'the browser': own = [] } = places;
        expect(findLeaks(secrets.ofTheBrowser, { own })).toHaveLength(secrets.ofTheBrowser.size);
      });
    },
  );

  test.each(['raw', 'uri', 'hex', 'base64', 'base64url'] as const)(
    'that are planted are found: %s',
    (form) => {
      const secret = 'PVEVNC:6A1B2C3D::pT+k/3r=';
      const forms = {
        raw: secret,
        uri: encodeURIComponent(secret),
        hex: Buffer.from(secret).toString('hex'),
        base64: Buffer.from(`x${secret}y`).toString('base64'),
        base64url: Buffer.from(`xy${secret}`).toString('base64url'),
      };
      const places = {
        log: ['{"a":1}', Buffer.from(`some text ${forms[form]} and more`)],
        clean: ['nothing'],
      };
      expect(findLeaks(new Map([[secret, 'a ticket']]), places)).toEqual(['a ticket in log']);
    },
  );
});
