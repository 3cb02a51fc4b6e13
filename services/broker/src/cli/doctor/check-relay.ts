import type { Clock } from '@porthole/shared/time/clock';
import { closeCodes } from '@porthole/shared/protocol/close-codes';
import { grantKeysOf } from '@porthole/shared/config/read';
import type { Config } from '@porthole/shared/config/schema';
import type { Secret } from '@porthole/shared/config/secret';
import { mintGrant } from '@porthole/shared/grant/grant';
import { createLog } from '@porthole/shared/telemetry/log';
import { systemRandom } from '@porthole/shared/crypto/random';
import { openStore } from '@porthole/shared/store/open';
import { lifetimes } from '@porthole/shared/store/keys';
import { consoleProtocol, grantProtocolPrefix } from '@porthole/shared/protocol/subprotocols';
import { relayUrlOf } from '../../grants/relay-url.ts';
import type { Finding } from './findings.ts';

/** The highest vmid of Proxmox, which is unlikely to exist. */
const unusedVmid = 999_999_999;

interface RelayDeps {
  readonly clock: Clock;
  readonly name: string;
  readonly timeoutMs: number;
}

/**
 * Requests a console of a machine that does not exist. The relay reports `not_found` only if everything works that a
 * console needs: WebSockets up to the relay, the same Redis, the same keys, and a connection to Proxmox.
 */
export async function checkRelay(
  config: Config,
  address: string,
  deps: RelayDeps,
): Promise<readonly Finding[]> {
  const { redis, grantKeys, clusters } = config;
  if (!redis || !grantKeys) return [];
  const url = relayUrlOf({ publicUrl: new URL(address) });
  const where = `relay ${url.host}`;
  let token: string;
  try {
    token = await mint(config, grantKeys, clusters[0]?.name ?? '', deps);
  } catch {
    // The check of the store reports the problem.
    return [];
  }
  const { opened, code } = await openConsole(url, config.publicUrl.origin, token, deps.timeoutMs);
  if (code === closeCodes.not_found.code) return [];
  if (!opened) return [{ kind: 'relay_unreachable', where, what: 'The WebSocket did not open.' }];
  if (code === undefined)
    return [{ kind: 'relay_refused', where, what: 'It did not answer within the deadline.' }];
  const [name] = Object.entries(closeCodes).find(([, kind]) => kind.code === code) ?? ['unknown code'];
  return [
    {
      kind: 'relay_refused',
      where,
      what: `It closed the WebSocket with ${code} (${name}) instead of 4404 (not_found).`,
    },
  ];
}

async function mint(
  config: Config,
  grantKeys: Secret,
  cluster: string,
  { clock, name }: RelayDeps,
): Promise<string> {
  const log = createLog({ service: 'porthole', level: 'silent' });
  const store = openStore(config, { log, clock });
  await store.start();
  try {
    const keys = grantKeysOf(grantKeys);
    const now = clock.now();
    return await mintGrant(
      { records: store.records, keys, random: systemRandom, clock },
      {
        version: 1,
        sessionId: name,
        loginRef: `doctor:${name}`,
        user: { id: 'cli:doctor', name: 'doctor', groups: [] },
        cluster,
        node: 'localhost',
        type: 'qemu',
        vmid: unusedVmid,
        machineName: 'none',
        mode: 'view',
        kind: 'screen',
        limits: { sessionSeconds: 60, idleSeconds: 60, perUser: 1, perMachine: 1 },
        origins: [config.publicUrl.origin],
        issuedAt: now,
        expiresAt: now + lifetimes.grant,
      },
    );
  } finally {
    await store.stop();
  }
}

/** Opens a WebSocket, and resolves with its close code. Undefined: none within the deadline. */
function openConsole(
  url: URL,
  origin: string,
  token: string,
  timeoutMs: number,
): Promise<{ opened: boolean; code: number | undefined }> {
  return new Promise((resolve) => {
    let opened = false;
    const socket = new WebSocket(url, {
      protocols: [consoleProtocol, `${grantProtocolPrefix}${token}`],
      headers: { origin },
    });
    const timer = setTimeout(() => done(undefined), timeoutMs);
    function done(code: number | undefined): void {
      clearTimeout(timer);
      resolve({ opened, code });
      socket.close();
    }
    socket.addEventListener('open', () => (opened = true));
    socket.addEventListener('error', () => done(undefined));
    socket.addEventListener('close', ({ code }) => done(code));
  });
}
