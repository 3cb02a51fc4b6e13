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

/** Proxmox numbers machines from 100 to 999999999; nobody has the last one. */
const noMachine = 999_999_999;

interface RelayDeps {
  readonly clock: Clock;
  readonly name: string;
  readonly timeoutMs: number;
}

/**
 * Asks a relay for a console of a machine that does not exist. That it says so, and nothing else, takes all that a
 * console takes: a way there for WebSockets, the same Redis, the same keys, and a Proxmox that answers the relay.
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
    // What is wrong with the store is found by who looks at that.
    return [];
  }
  const { opened, code } = await openConsole(url, config.publicUrl.origin, token, deps.timeoutMs);
  if (code === closeCodes.not_found.code) return [];
  if (!opened) return [{ kind: 'relay_away', where, what: 'No WebSocket was opened.' }];
  if (code === undefined) return [{ kind: 'relay_refuses', where, what: 'It did not answer in time.' }];
  const [name] = Object.entries(closeCodes).find(([, kind]) => kind.code === code) ?? ['none of ours'];
  return [
    { kind: 'relay_refuses', where, what: `It answered ${code} (${name}) instead of 4404 (not_found).` },
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
        vmid: noMachine,
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

/** The close code that a relay ends the attempt with; undefined when there was none in time. */
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
