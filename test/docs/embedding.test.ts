import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { clientFile, generateClient } from './api-client.ts';
import { describeWith } from '../needs.ts';
import { startPortal, type Portal } from '../broker/sign-in/programs/portal.ts';

const page = readFileSync(new URL('../../docs/embedding.md', import.meta.url), 'utf8');
const clientFolder = fileURLToPath(new URL('../../docs/client', import.meta.url));
const script = new URL('../../services/broker/web/dist/embed/porthole-console.js', import.meta.url);

/** An example of the page, for the names of the test's broker. */
function exampleIn(language: string): string {
  const text = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (text === undefined) throw new Error(`docs/embedding.md has no example in ${language}`);
  return text.replaceAll(/(['/])school(['/])/g, '$1proxmox$2').replaceAll('networks-1', 'class-a');
}

let portal: Portal;
beforeAll(async () => {
  portal = await startPortal();
});
afterAll(() => portal.stop());

/** Runs a program with an example on its standard input. */
async function run(program: string, ...args: readonly string[]): Promise<string> {
  const [input = '', ...options] = args.toReversed();
  const child = spawn(program, options.toReversed(), {
    cwd: clientFolder,
    env: {
      ...process.env,
      CONSOLES_URL: `http://127.0.0.1:${portal.rig.port}`,
      CONSOLES_TOKEN: await portal.sign(),
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(input);
  await new Promise((resolve) => child.once('close', resolve));
  return output;
}

/** The page opens the console of the example's user. */
async function expectConsole(url: string): Promise<void> {
  const { hash, pathname } = new URL(url);
  expect(pathname).toBe('/console/proxmox/101');
  const redeemed = await portal.rig.ask('/api/v1/embed-tokens', {
    method: 'POST',
    body: { code: hash.replace('#code=', '') },
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  expect(redeemed.json.token).toHaveLength(43);
}

describeWith('curl')('the example for curl', () => {
  test('requests a page that opens a console', async () => {
    const answer = await run('sh', '-s', exampleIn('sh').replace('curl ', 'curl --silent '));
    await expectConsole((JSON.parse(answer) as { page: string }).page);
  });
});

describeWith('pythonRequests')('the example in Python', () => {
  test('requests a page that opens a console', async () => {
    await expectConsole((await run('python3', '-', exampleIn('python'))).trim());
  });
});

describeWith('php')('the example in PHP', () => {
  test('is an endpoint for the element', async () => {
    const answer = JSON.parse(await run('php', exampleIn('php'))) as { page: string };
    await expectConsole(answer.page);
  });
});

describe('the client for TypeScript', () => {
  test('is current: `npm run api:client` makes it from docs/openapi.yaml', async () => {
    expect(await generateClient()).toBe(readFileSync(clientFile, 'utf8'));
  });

  test('requests a page that opens a console', async () => {
    // `./porthole.ts` is beside it.
    const answer = await run(process.execPath, '--input-type=module-typescript', exampleIn('ts'));
    await expectConsole(answer.trim());
  });
});

describe('the script of the element', () => {
  test('has at most 3 KiB and no imports', () => {
    const text = readFileSync(script);
    expect(text.length).toBeLessThanOrEqual(3 * 1024);
    expect(text.toString()).not.toMatch(/\bimport\b/);
  });

  test('is a package, too', () => {
    const { name, exports } = JSON.parse(readFileSync(new URL('package.json', script), 'utf8')) as Record<
      string,
      string
    >;
    expect([name, exports]).toEqual(['@porthole/embed', './porthole-console.js']);
  });
});
