import type { WallMessage } from '@porthole/shared/protocol/wall-messages';
import { systemRandom } from '@porthole/shared/crypto/random';
import type { WallClaims } from '@porthole/shared/grant/wall-claims';
import { mintWallGrant } from '@porthole/shared/grant/wall-grant';
import { systemClock } from '@porthole/shared/time/clock';
import { WebSocket } from 'ws';
import { grantKey, testOrigin, type RelayRig } from '../rig.ts';

export interface WallPicture {
  readonly seat: number;
  readonly width: number;
  readonly height: number;
  readonly format: number;
  readonly image: Buffer;
}

/** A page with a wall, without the browser. */
export interface WallClient {
  readonly socket: WebSocket;
  readonly messages: readonly WallMessage[];
  readonly pictures: readonly WallPicture[];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** The last state of each seat. */
  states(): Record<number, string>;
  show(...seats: number[]): void;
}

export const ina = { id: 'local:ina', name: 'ina', displayName: 'Ina Instructor' };

export function someWall(overrides: Partial<WallClaims> = {}): WallClaims {
  const now = overrides.issuedAt ?? Date.now();
  return {
    version: 1,
    sessionId: 'wall-1',
    loginRef: 'login-1',
    user: ina,
    class: 'lab',
    seats: [aSeat(0)],
    sessionSeconds: 3600,
    origins: [testOrigin],
    issuedAt: now,
    expiresAt: now + 60_000,
    ...overrides,
  };
}

export const aSeat = (seat: number, vmid = 100 + seat, node = 'pve1'): WallClaims['seats'][number] => ({
  seat,
  cluster: 'lab',
  node,
  type: 'qemu',
  vmid,
  machineName: `lab-${vmid}`,
});

export function mintWall(rig: RelayRig, overrides: Partial<WallClaims> = {}): Promise<string> {
  const { records } = rig.store;
  const deps = { records, keys: () => [grantKey], random: systemRandom, clock: systemClock };
  return mintWallGrant(deps, someWall(overrides));
}

export async function openWall(
  rig: RelayRig,
  overrides: Partial<WallClaims> = {},
  options: { readonly token?: string; readonly origin?: string } = {},
): Promise<WallClient> {
  const token = options.token ?? (await mintWall(rig, overrides));
  const url = rig.url.replace('/console', '/wall');
  const socket = new WebSocket(url, ['porthole.wall.v1', `porthole.grant.${token}`], {
    origin: options.origin ?? testOrigin,
    perMessageDeflate: false,
  });
  const messages: WallMessage[] = [];
  const pictures: WallPicture[] = [];
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) messages.push(JSON.parse(data.toString()) as WallMessage);
    else
      pictures.push({
        seat: data.readUInt16BE(0),
        width: data.readUInt16BE(2),
        height: data.readUInt16BE(4),
        format: data[6] ?? 0,
        image: data.subarray(7),
      });
  });
  socket.on('error', () => {});
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise((resolve) => {
    socket.once('open', resolve);
    socket.once('close', resolve);
  });
  return {
    socket,
    messages,
    pictures,
    closed,
    states: () =>
      Object.fromEntries(messages.flatMap((each) => (each.type === 'seat' ? [[each.seat, each.state]] : []))),
    show: (...seats) => socket.send(JSON.stringify({ type: 'show', seats })),
  };
}
