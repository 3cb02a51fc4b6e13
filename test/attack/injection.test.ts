import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { createAudit } from '@porthole/shared/audit/audit';
import type { AuditEvent } from '@porthole/shared/audit/events';
import { systemClock } from '@porthole/shared/time/clock';
import { runPorthole } from '../broker/cli/run-porthole.ts';
import { aCluster, aUser, closeBrokers, startBroker, usersFile } from '../broker/rig.ts';
import { createWalker } from '../fakes/oidc/walk.ts';
import { createCertificateAuthority } from '../fakes/proxmox/certificates.ts';
import { createRelayRig, testOrigin } from '../relay/rig.ts';
import { hasCloseCode, sendRaw, upgradeLines } from './raw-http.ts';
import { threat } from './threat-table.ts';
import { seconds, startTwoProviders } from './two-providers.ts';

/** What changes a terminal or a log if it arrives there as it is: C0, DEL, C1, line separators, text direction. */
const hostileText = 'x\r\n{"level":"info"}\n\x1b]0;owned\x07\x1b[2J\0\b\x7f\x85\x9b31m\u2028\u2029\u202eevil';
/** The same, as far as bytes of a header can say it. */
const hostileHeader = 'x\x9b31m\x85\xadevil';
// oxlint-disable-next-line no-control-regex
const control = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;

/** Each line is one JSON object, and nothing in it acts on a terminal. */
function expectHarmlessLines(lines: readonly string[], mentions: string): void {
  expect(lines.join('')).toContain(mentions);
  for (const line of lines) {
    expect(line.endsWith('\n')).toBe(true);
    expect(line.slice(0, -1)).not.toMatch(control);
    expect(() => JSON.parse(line) as unknown).not.toThrow();
  }
}

const linesOf = (events: readonly AuditEvent[]): string[] => {
  const lines: string[] = [];
  const audit = createAudit({ service: 'test', clock: systemClock, write: (line) => void lines.push(line) });
  for (const event of events) audit(event);
  return lines;
};

describe(threat('H5'), () => {
  afterEach(closeBrokers);

  test('names of an identity provider, in the log, the audit log and in headers', async () => {
    const { origin, evil, me, rig, stop } = await startTwoProviders();
    const browser = createWalker(evil.url);
    const begun = await browser.fetch(`${origin}/api/v1/login/oidc/evil`);
    const sent = new URL(begun.headers.get('location') ?? '').searchParams;
    const idToken = await evil.sign({
      iss: evil.url,
      aud: 'porthole',
      iat: seconds(),
      exp: seconds() + 60,
      nonce: sent.get('nonce') ?? '',
      sub: hostileText,
      preferred_username: hostileText,
      name: hostileText,
      groups: [hostileText],
    });
    evil.onToken(() => ({ access_token: 'a', token_type: 'bearer', id_token: idToken }));
    const state = sent.get('state') ?? '';
    await browser.fetch(`${origin}/api/v1/login/oidc/evil/callback?code=any&state=${state}`);
    // Kept as it is: pages show it as text.
    expect((await me(browser)).user.name).toContain('owned');
    expectHarmlessLines(rig.log, 'owned');
    expectHarmlessLines(linesOf(rig.audited), 'owned');
    await stop();
  });

  test('identity headers, paths and return paths of requests', async () => {
    const rig = await startBroker({ config: { signIn: { header: { from: ['127.0.0.1'] } } } });
    const host = 'Host: localhost:8080';
    await sendRaw(rig.port, [
      'GET /api/v1/me HTTP/1.1',
      host,
      `X-Forwarded-User: ${hostileHeader}`,
      'Connection: close',
    ]);
    await sendRaw(rig.port, [`GET /console/${hostileHeader}/1 HTTP/1.1`, host, 'Connection: close']);
    await sendRaw(rig.port, ['GET /api/v1/%0d%0a%1b[31m%c2%9bevil HTTP/1.1', host, 'Connection: close']);
    expectHarmlessLines(rig.log, 'evil');
    for (const path of [
      '/%0d%0aSet-Cookie:%20x=y',
      '/console/a/1%0d%0aX: y',
      '/api/v1/login?return=%0d%0aX:%20y',
    ]) {
      const { headers, status } = await rig.ask(path.replaceAll(' ', '%20'));
      expect(status).toBeLessThan(500);
      expect(headers).not.toHaveProperty('x');
      expect(headers['set-cookie']).toBeUndefined();
    }
  });

  test('names of machines at Proxmox, in grants and in the log', async () => {
    const fake = await aCluster([{ vmid: 101, node: 'pve1', name: hostileText }]);
    const rig = await startBroker({ proxmox: [{ name: 'lab', fake }] });
    const anna = await rig.signedIn('anna');
    const answer = await anna.post('/api/v1/consoles/lab/101/grants', { mode: 'control' });
    expect(answer.status).toBe(201);
    expect((await anna.get('/api/v1/consoles')).status).toBe(200);
    expectHarmlessLines(rig.log, 'grant');
    expectHarmlessLines(linesOf(rig.audited), 'owned');
  });

  test('origins, users and machines of viewers, in the log of the relay', async () => {
    const rig = await createRelayRig();
    const lines = upgradeLines(`Origin: ${hostileHeader}`, 'Sec-WebSocket-Protocol: porthole.v1');
    await sendRaw(Number(new URL(rig.url).port), lines, {
      until: (received) => hasCloseCode(received, 4403),
    });
    const user = { id: hostileText, name: hostileText, groups: [] };
    const client = await rig.open({ user, machineName: hostileText, origins: [testOrigin] });
    await client.rfb();
    client.close();
    await client.closed;
    expectHarmlessLines(rig.logged, 'evil');
    expectHarmlessLines(rig.logged, 'owned');
    await rig.stop();
  });

  test('answers of Proxmox, in the output of the command', async () => {
    const ca = createCertificateAuthority();
    const { certPem, keyPem } = ca.issue({ name: 'pve1', fqdn: 'pve1.test', address: '127.0.0.1' });
    const server = createServer({ cert: certPem, key: keyPem }, (socket) => {
      socket.on('error', () => {});
      socket.once('data', () =>
        socket.end('HTTP/1.1 403 \x1b[2J\x9b31mowned\r\nContent-Length: 0\r\n\r\n', 'latin1'),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const folder = await mkdtemp(join(tmpdir(), 'porthole-attack-'));
    await writeFile(join(folder, 'ca.pem'), ca.caPem);
    await writeFile(join(folder, 'users.yaml'), usersFile(aUser('anna')));
    const config = {
      publicUrl: 'http://localhost:8080',
      clusters: [
        {
          name: 'lab',
          urls: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
          credential: { token: 'a@pve!b', secret: 'x' },
          tls: { caFile: 'ca.pem' },
        },
      ],
      signIn: { local: { usersFile: 'users.yaml' } },
      access: [],
    };
    await writeFile(join(folder, 'porthole.yaml'), JSON.stringify(config));
    for (const args of [['doctor'], ['doctor', '--json'], ['sessions', 'end', '--machine', hostileText]]) {
      const { out, err } = await runPorthole(args, folder);
      const output = out + err;
      expect(output).toContain('owned');
      expect(output.replaceAll(/[\n\t]/g, '')).not.toMatch(control);
    }
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });
});
