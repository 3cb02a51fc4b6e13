import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createBuiltinGuest } from '../fakes/guests/builtin.ts';
import { describeWith } from '../needs.ts';
import { openBrowserUser } from './browser-user.ts';
import { useBrowser } from './scene.ts';
import { startStack, type Stack } from './stack.ts';

/** A lab portal that signs its students in itself, requests their consoles and shows them in a frame. */
async function startPortal() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }];
  let framed = '';
  let element = '';
  let requestPage = () => Promise.resolve('');
  const server: Server = createServer((request, response) => {
    if (request.url === '/jwks')
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    else if (request.url === '/element')
      response
        .writeHead(200, {
          'content-type': 'text/html',
          // A strict policy, as sites have it.
          'content-security-policy': `default-src 'none'; script-src ${element} 'nonce-n'; frame-src ${element}; connect-src 'self'`,
        })
        .end(
          `<!doctype html><title>Lab 3</title><script type="module" src="${element}/embed/porthole-console.js"></script>
          <porthole-console id="lab" endpoint="/my-console" autofocus></porthole-console>
          <script nonce="n">
            window.seen = [];
            for (const name of ['open', 'ended', 'error'])
              lab.addEventListener(name, ({ type, detail }) => seen.push([type, detail]));
          </script>`,
        );
    else if (request.url === '/my-console')
      void requestPage().then((page) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ page })),
      );
    else
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(
          `<!doctype html><title>Lab 3</title><iframe id="lab" width="1000" height="700" src="${framed}"></iframe>`,
        );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    // Another host name than Porthole's is another site, so the browser sends no cookie.
    origin: `http://localhost:${port}`,
    issuer: `http://127.0.0.1:${port}`,
    show: (page: string) => (framed = page),
    showElement(porthole: string, ask: () => Promise<string>) {
      [element, requestPage] = [porthole, ask];
    },
    token: () =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(`http://127.0.0.1:${port}`)
        .setAudience('porthole')
        .setSubject('portal')
        .setExpirationTime('1m')
        .sign(privateKey),
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

describeWith('chromium')('a console that is embedded in another site', () => {
  const browser = useBrowser();
  let portal: Awaited<ReturnType<typeof startPortal>>;
  let stack: Stack;

  beforeAll(async () => {
    portal = await startPortal();
    stack = await startStack({
      machines: [
        { vmid: 101, name: 'student-1', node: 'pve1', guest: createBuiltinGuest({ name: 'student-1' }) },
      ],
      settings: (origin) => ({
        frameAncestors: [portal.origin],
        signIn: {
          header: { from: ['10.0.0.1'] },
          programs: [
            {
              name: 'labs',
              issuer: portal.issuer,
              jwksUrl: `${portal.issuer}/jwks`,
              audience: 'porthole',
              impersonation: { users: ['*'], groups: ['class-a'] },
            },
          ],
        },
        publicUrl: origin,
      }),
    });
  });
  afterAll(async () => {
    await stack.stop();
    await portal.stop();
  });

  async function askForPage(): Promise<string> {
    const response = await fetch(`${stack.origin}/api/v1/consoles/lab/101/grants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await portal.token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        mode: 'control',
        onBehalfOf: { id: '1', name: 'student', groups: ['class-a'] },
      }),
    });
    expect(response.status).toBe(201);
    return ((await response.json()) as { page: string }).page;
  }

  test('opens for a user who never signed in to Porthole, also after a reload', async () => {
    portal.show(await askForPage());
    const { page, close: leave } = await openBrowserUser(browser(), portal.origin);
    await page.goto(portal.origin);
    const frame = page.frameLocator('#lab');
    await frame.locator('body[data-state=open]').waitFor({ state: 'attached' });
    await frame.locator('canvas').first().waitFor();
    // The address has no code any more, and the page has no link to the list of machines.
    const inner = page.frames()[1];
    expect(inner?.url()).toBe(`${stack.origin}/console/lab/101`);
    expect(await frame.locator('a[data-home]').first().isVisible()).toBe(false);
    await inner?.evaluate(() => location.reload());
    await frame.locator('body[data-state=open]').waitFor({ state: 'attached' });
    await leave();
  });

  test('says what to do when the link was already used', async () => {
    const link = await askForPage();
    portal.show(link);
    const first = await openBrowserUser(browser(), portal.origin);
    await first.page.goto(portal.origin);
    await first.page.frameLocator('#lab').locator('body[data-state=open]').waitFor({ state: 'attached' });
    const second = await openBrowserUser(browser(), portal.origin);
    await second.page.goto(portal.origin);
    await second.page
      .frameLocator('#lab')
      .getByRole('heading', { name: 'This link was already used or has expired.' })
      .waitFor();
    await first.close();
    await second.close();
  });

  test('is an element of the site, which opens, tells what happens, and opens again', async () => {
    portal.showElement(stack.origin, askForPage);
    const { page, close: leave } = await openBrowserUser(browser(), portal.origin);
    await page.goto(`${portal.origin}/element`);
    const seen = () => page.evaluate(() => (window as never as { seen: unknown[] }).seen);
    const opened = page.locator('porthole-console[data-state=open]');
    await opened.waitFor();
    // The keyboard is the machine's, and the frame has the size of the element.
    expect(await page.evaluate(() => document.activeElement?.localName)).toBe('porthole-console');
    const sizes = await page.evaluate(() => {
      const element = document.querySelector('porthole-console');
      const frame = element?.shadowRoot?.querySelector('iframe');
      return [element?.clientWidth, element?.clientHeight, frame?.clientWidth, frame?.clientHeight];
    });
    expect(sizes.slice(0, 2)).toEqual(sizes.slice(2));
    expect(sizes[0]).toBeGreaterThan(1000);
    // A page of the site can't forge what happens to the console.
    await page.evaluate(() => window.postMessage({ porthole: 'ended' }, '*'));
    expect(await seen()).toEqual([['open', {}]]);
    await page.evaluate(() => (document.querySelector('#lab') as HTMLElement & { reopen(): void }).reopen());
    await page.waitForFunction(() => (window as never as { seen: unknown[] }).seen.length === 2);
    expect(await seen()).toEqual([
      ['open', {}],
      ['open', {}],
    ]);
    await leave();
  });

  test('is not shown in a frame of a site that is not allowed', async () => {
    const link = await askForPage();
    const hostile = createServer((_request, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`<!doctype html><title>Win</title><iframe id="lab" src="${link}"></iframe>`),
    );
    await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
    const { page, close: leave } = await openBrowserUser(browser(), stack.origin);
    const refusals: string[] = [];
    page.on('console', (message) => refusals.push(message.text()));
    await page.goto(`http://localhost:${(hostile.address() as AddressInfo).port}`);
    await page.waitForFunction(() => true);
    expect(page.frames()[1]?.url()).not.toContain('/console/');
    expect(refusals.join()).toMatch(/frame-ancestors|refused to/i);
    await leave();
    hostile.close();
    hostile.closeAllConnections();
  });

  test('refuses its grant to a page of another origin', async () => {
    const { page, close: leave } = await openBrowserUser(browser(), stack.origin);
    const response = await fetch(`${stack.origin}/api/v1/consoles/lab/101/grants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await portal.token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        mode: 'control',
        onBehalfOf: { id: '1', name: 'student', groups: ['class-a'] },
      }),
    });
    const { url, protocols } = (await response.json()) as { url: string; protocols: string[] };
    // A page of another origin that got hold of a grant.
    await page.goto(portal.origin);
    const code = await page.evaluate(
      ({ address, wanted }) =>
        new Promise<number>((resolve) => {
          const socket = new WebSocket(address, wanted);
          socket.addEventListener('close', (event) => resolve(event.code));
        }),
      { address: url, wanted: protocols },
    );
    expect(code).toBe(4403);
    await leave();
  });
});
