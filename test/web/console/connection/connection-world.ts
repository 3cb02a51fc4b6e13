import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import type { ClientMessage } from '@porthole/shared/protocol/control-messages';
import type { Answer, Grant } from '../../../../services/broker/web/src/api.ts';
import {
  createConnection,
  type Connection,
  type ConsoleSocketEvents,
} from '../../../../services/broker/web/src/console/connection/connection.ts';
import type { View } from '../../../../services/broker/web/src/console/connection/view.ts';
import { createFakeClock, type FakeClock } from '../../../fakes/clock.ts';

/** A connection with a fake clock, a fake broker and fake sockets. */
export interface World {
  readonly clock: FakeClock;
  readonly connection: Connection;
  readonly views: View[];
  readonly view: () => View;
  /** Sockets that were opened, the newest last. */
  readonly sockets: {
    readonly grant: Grant;
    readonly events: ConsoleSocketEvents;
    readonly sent: ClientMessage[];
    checks: number;
    open: boolean;
    /** Whether it was given up so that the session can be resumed. */
    abandoned: boolean;
  }[];
  /** Answers to grant requests, used one by one. When empty, the broker gives a grant. */
  readonly answers: Answer<Grant>[];
  grantRequests: number;
  /** The session that each grant request returned to. */
  readonly reopened: (string | undefined)[];
  /** Whether each grant request said that the user agrees to be recorded. */
  readonly consents: boolean[];
  polls: number;
  signIns: number;
  status: Answer<string | undefined>;
  online: boolean;
  visible: boolean;
  /** Waits until promises have run. */
  settle(): Promise<void>;
  advance(ms: number): Promise<void>;
  toFirstFrame(): Promise<void>;
  close(code: number, reason?: string): Promise<void>;
}

export const aGrant = (id: string): Grant => ({
  id,
  url: 'wss://relay.example/relay/v1/console',
  protocols: ['porthole.v1', 'porthole.grant.x'],
  machine: { name: 'web-1', type: 'qemu', node: 'pve1' },
});

export const retryAtOf = (view: View): number => ('retryAt' in view ? view.retryAt : 0);

export function createWorld(random: () => number = () => 0.5): World {
  const clock = createFakeClock();
  const world: World = {
    clock,
    views: [],
    view: () => world.views.at(-1) as View,
    sockets: [],
    answers: [],
    grantRequests: 0,
    reopened: [],
    consents: [],
    polls: 0,
    signIns: 0,
    status: { ok: true, value: 'stopped' },
    online: true,
    visible: true,
    connection: createConnection({
      clock,
      random,
      online: () => world.online,
      visible: () => world.visible,
      requestGrant: (reopens, consents) => {
        world.consents.push(consents);
        world.grantRequests += 1;
        world.reopened.push(reopens);
        return Promise.resolve(
          world.answers.shift() ?? { ok: true, value: aGrant(`s${world.grantRequests}`) },
        );
      },
      machineStatus: () => {
        world.polls += 1;
        return Promise.resolve(world.status);
      },
      openSocket: (grant, events) => {
        const socket: World['sockets'][number] = {
          grant,
          events,
          sent: [],
          checks: 0,
          open: true,
          abandoned: false,
        };
        world.sockets.push(socket);
        return {
          send: (message) => void socket.sent.push(message),
          check: () => void (socket.checks += 1),
          abandon() {
            socket.open = false;
            socket.abandoned = true;
            events.onDead();
          },
          close: () => void (socket.open = false),
        };
      },
      goToSignIn: () => void (world.signIns += 1),
      show: (view) => void world.views.push(view),
    }),
    async settle() {
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    },
    async advance(ms) {
      clock.advance(ms);
      await world.settle();
    },
    async toFirstFrame() {
      await world.settle();
      const events = world.sockets.at(-1)?.events;
      events?.onOpen();
      events?.onControlMessage({ type: 'opened', mode: 'control' });
      events?.onFirstFrame();
    },
    async close(code, reason = '') {
      world.sockets.at(-1)?.events.onClose(code, reason);
      await world.settle();
    },
  };
  return world;
}

export async function openWorld(random?: () => number): Promise<World> {
  const world = createWorld(random);
  world.connection.open();
  await world.toFirstFrame();
  expect(world.view().state).toBe('open');
  return world;
}

export const closeNamesWith = (action: string) =>
  (Object.keys(closeCodes) as CloseName[]).filter((name) => closeCodes[name].pageAction === action);
