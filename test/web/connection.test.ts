import { closeCodes, type CloseName } from '@porthole/shared/protocol/close-codes';
import type { ClientMessage, ControlMessage } from '@porthole/shared/protocol/control-messages';
import * as fc from 'fast-check';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';
import type { Answer, Grant, Problem } from '../../services/broker/web/src/api.ts';
import {
  createConnection,
  type Connection,
  type LineEvents,
} from '../../services/broker/web/src/console/connection.ts';
import { mostUrgent, noNotices } from '../../services/broker/web/src/console/notices.ts';
import type { View } from '../../services/broker/web/src/console/view.ts';

interface World {
  readonly clock: FakeClock;
  readonly connection: Connection;
  readonly views: View[];
  readonly view: () => View;
  /** Lines that were dialled, the newest last. */
  readonly lines: {
    readonly grant: Grant;
    readonly events: LineEvents;
    readonly said: ClientMessage[];
    open: boolean;
  }[];
  /** Answers of the broker, taken one by one; a grant when empty. */
  readonly answers: Answer<Grant>[];
  asked: number;
  polls: number;
  signIns: number;
  status: Answer<string | undefined>;
  online: boolean;
  visible: boolean;
  /** Lets promises run. */
  settle(): Promise<void>;
  advance(ms: number): Promise<void>;
  toPicture(): Promise<void>;
  close(code: number, reason?: string): Promise<void>;
}

const aGrant = (id: string): Grant => ({
  id,
  url: 'wss://relay.example/relay/v1/console',
  protocols: ['porthole.v1', 'porthole.grant.x'],
  machine: { name: 'web-1', type: 'qemu', node: 'pve1' },
});

const retryAtOf = (view: View): number => ('retryAt' in view ? view.retryAt : 0);

function createWorld(random: () => number = () => 0.5): World {
  const clock = createFakeClock();
  const world: World = {
    clock,
    views: [],
    view: () => world.views.at(-1) as View,
    lines: [],
    answers: [],
    asked: 0,
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
      askGrant: () => {
        world.asked += 1;
        return Promise.resolve(world.answers.shift() ?? { ok: true, value: aGrant(`s${world.asked}`) });
      },
      machineStatus: () => {
        world.polls += 1;
        return Promise.resolve(world.status);
      },
      dial: (grant, events) => {
        const line: World['lines'][number] = { grant, events, said: [], open: true };
        world.lines.push(line);
        return { say: (message) => void line.said.push(message), close: () => void (line.open = false) };
      },
      signIn: () => void (world.signIns += 1),
      show: (view) => void world.views.push(view),
    }),
    async settle() {
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    },
    async advance(ms) {
      clock.advance(ms);
      await world.settle();
    },
    async toPicture() {
      await world.settle();
      const events = world.lines.at(-1)?.events;
      events?.connected();
      events?.control({ type: 'opened', mode: 'control' });
      events?.picture();
    },
    async close(code, reason = '') {
      world.lines.at(-1)?.events.closed(code, reason);
      await world.settle();
    },
  };
  return world;
}

async function openWorld(random?: () => number): Promise<World> {
  const world = createWorld(random);
  world.connection.open();
  await world.toPicture();
  expect(world.view().state).toBe('open');
  return world;
}

const namesWith = (action: string) =>
  (Object.keys(closeCodes) as CloseName[]).filter((name) => closeCodes[name].pageAction === action);

test('the way to the picture is told step by step', async () => {
  const world = createWorld();
  world.connection.open();
  await world.settle();
  const events = world.lines[0]?.events as LineEvents;
  events.connected();
  const messages: ControlMessage[] = [
    { type: 'queued', position: 2 },
    { type: 'queued', position: 1 },
    { type: 'opening', step: 'status' },
    { type: 'opening', step: 'authenticate' },
    { type: 'opened', mode: 'view' },
  ];
  for (const message of messages) events.control(message);
  events.picture();
  expect(world.views.map((view) => view.state)).toEqual([
    'asking',
    'connecting',
    'opening',
    'queued',
    'queued',
    'opening',
    'opening',
    'picture',
    'open',
  ]);
  expect(world.view()).toMatchObject({ mode: 'view', supportId: 's1', machine: { name: 'web-1' } });
});

describe('what each close code leads to', () => {
  test.each(namesWith('reconnect'))('%s: at once and silently, the picture stays', async (name) => {
    const world = await openWorld();
    await world.close(closeCodes[name].code);
    expect(world.lines).toHaveLength(2);
    expect(world.view()).toMatchObject({ state: 'connecting', quiet: true });
    await world.toPicture();
    expect(world.view()).toMatchObject({ state: 'open', quiet: false });
  });

  test('relays that keep on sending the page away are answered with pauses', async () => {
    const world = await openWorld();
    for (let round = 0; round < 3; round += 1) await world.close(closeCodes.moving.code);
    expect(world.view().state).toBe('connecting');
    await world.close(closeCodes.moving.code);
    expect(world.view().state).toBe('retrying');
  });

  test.each([...namesWith('retry'), 'lost' as const])('%s: tried again with growing pauses', async (name) => {
    const code = name === 'lost' ? 1006 : closeCodes[name].code;
    const world = await openWorld();
    const pauses: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      await world.close(code);
      const pause = retryAtOf(world.view()) - world.clock.now();
      pauses.push(pause);
      await world.advance(pause - 1);
      expect(world.view().state).toBe('retrying');
      await world.advance(1);
      expect(world.view().state).toBe('connecting');
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  test.each(namesWith('new-grant-once'))('%s: one new grant, then the sentence', async (name) => {
    const world = await openWorld();
    await world.close(closeCodes[name].code);
    expect(world.asked).toBe(2);
    expect(world.view().state).toBe('connecting');
    await world.close(closeCodes[name].code);
    expect(world.asked).toBe(2);
    expect(world.view()).toMatchObject({ state: 'ended', words: { title: closeCodes[name].text } });
  });

  test.each(namesWith('wait-for-machine'))(
    '%s: watches the machine and reopens when it runs',
    async (name) => {
      const world = await openWorld();
      await world.close(closeCodes[name].code);
      expect(world.view().state).toBe('waiting');
      await world.advance(3000);
      await world.advance(3000);
      expect(world.polls).toBe(2);
      expect(world.view().state).toBe('waiting');
      world.status = { ok: true, value: 'running' };
      await world.advance(3000);
      await world.toPicture();
      expect(world.view().state).toBe('open');
    },
  );

  test.each(namesWith('offer-reopen'))('%s: says it and opens again on demand', async (name) => {
    const world = await openWorld();
    await world.close(closeCodes[name].code);
    expect(world.view()).toMatchObject({
      state: 'ended',
      offer: 'reopen',
      words: { title: closeCodes[name].text },
    });
    await world.advance(600_000);
    expect(world.asked).toBe(1);
    world.connection.open();
    await world.toPicture();
    expect(world.view().state).toBe('open');
  });

  test.each(namesWith('show-message'))('%s: says it and leads back to the list', async (name) => {
    const world = await openWorld();
    await world.close(closeCodes[name].code);
    expect(world.view()).toMatchObject({ state: 'ended', offer: 'list', supportId: 's1' });
    await world.advance(600_000);
    expect(world.asked).toBe(1);
    expect(world.clock.pending()).toBe(0);
  });
});

test("the relay's own sentence wins over the table's", async () => {
  const world = await openWorld();
  await world.close(closeCodes.ended_by_operator.code, 'Ended by Ms Hopper');
  expect(world.view()).toMatchObject({ words: { title: 'Ended by Ms Hopper.' } });
});

test('no sentence ever shows a number of a close code', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1000, max: 4999 }), async (code) => {
      const world = await openWorld();
      await world.close(code);
      const view = world.view();
      if ('words' in view) expect(`${view.words.title} ${view.words.advice}`).not.toMatch(/\d{4}/);
    }),
  );
});

test('a minute with a picture makes the pauses short again', async () => {
  const world = await openWorld();
  await world.close(1006);
  await world.advance(1000);
  await world.toPicture();
  await world.close(1006);
  expect(world.view()).toMatchObject({ retryAt: world.clock.now() + 2000 });
  await world.advance(2000);
  await world.toPicture();
  await world.advance(60_000);
  await world.close(1006);
  expect(world.view()).toMatchObject({ retryAt: world.clock.now() + 1000 });
});

test('pauses differ from page to page by up to a quarter', async () => {
  await fc.assert(
    fc.asyncProperty(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (random) => {
      const world = await openWorld(() => random);
      await world.close(1006);
      const pause = retryAtOf(world.view()) - world.clock.now();
      expect(pause).toBeGreaterThanOrEqual(750);
      expect(pause).toBeLessThanOrEqual(1250);
    }),
  );
});

test('a relay that never answers is given up and tried again', async () => {
  const world = createWorld();
  world.connection.open();
  await world.settle();
  await world.advance(20_000);
  expect(world.view().state).toBe('retrying');
  expect(world.lines[0]?.open).toBe(false);
});

test('offline it waits for the network and opens as soon as there is one', async () => {
  const world = await openWorld();
  world.online = false;
  await world.close(1006);
  expect(world.view()).toMatchObject({ state: 'retrying', offline: true });
  world.online = true;
  world.connection.networkChanged();
  await world.toPicture();
  expect(world.view().state).toBe('open');
});

test('a machine that is off is not watched from a hidden tab', async () => {
  const world = await openWorld();
  await world.close(closeCodes.not_running.code);
  world.visible = false;
  await world.advance(60_000);
  expect(world.polls).toBe(0);
  world.visible = true;
  world.status = { ok: true, value: 'running' };
  world.connection.visibilityChanged();
  await world.settle();
  expect(world.view().state).toBe('connecting');
});

test('a machine that runs only in an old list is asked for less and less often', async () => {
  const world = await openWorld();
  await world.close(closeCodes.ended.code);
  world.status = { ok: true, value: 'running' };
  const before = world.clock.now();
  for (let round = 0; round < 5; round += 1) {
    while (world.view().state === 'waiting') await world.advance(500);
    await world.close(closeCodes.not_running.code);
  }
  expect(world.clock.now() - before).toBeGreaterThanOrEqual(3000 + 6000 + 12_000 + 24_000 + 24_000);
});

test('a machine that vanished from the list ends the wait', async () => {
  const world = await openWorld();
  await world.close(closeCodes.ended.code);
  world.status = { ok: true, value: undefined };
  for (let round = 0; round < 3; round += 1) await world.advance(3000);
  expect(world.view()).toMatchObject({ state: 'ended', offer: 'list' });
});

describe('going on at another relay', () => {
  const token = (letter: string) => letter.repeat(43);
  const offered = (world: World) => world.lines.at(-1)?.grant.protocols.at(-1);

  /** Open, and in possession of tokens, the newest last. */
  async function openWith(...tokens: string[]): Promise<World> {
    const world = await openWorld();
    for (const each of tokens) world.lines[0]?.events.control({ type: 'resume', token: each });
    return world;
  }

  test.each([closeCodes.moving.code, 1006])(
    '%s: at once and silently, with the newest token, without the broker',
    async (code) => {
      const world = await openWith(token('a'), token('b'));
      await world.close(code);
      expect(world.asked).toBe(1);
      expect(offered(world)).toBe(`porthole.grant.${token('b')}`);
      expect(world.view()).toMatchObject({ state: 'connecting', quiet: true, supportId: 's1' });
      await world.toPicture();
      expect(world.view()).toMatchObject({ state: 'open', quiet: false, supportId: 's1' });
    },
  );

  test('a token that came over the new line is used the next time', async () => {
    const world = await openWith(token('a'));
    await world.close(1006);
    await world.toPicture();
    world.lines.at(-1)?.events.control({ type: 'resume', token: token('b') });
    await world.close(1006);
    expect(offered(world)).toBe(`porthole.grant.${token('b')}`);
  });

  test('a relay that can not be reached is tried again with pauses and the same token', async () => {
    const world = await openWith(token('a'));
    await world.close(1006);
    await world.close(1006);
    expect(world.view()).toMatchObject({ state: 'retrying', retryAt: world.clock.now() + 1000 });
    await world.advance(1000);
    expect(offered(world)).toBe(`porthole.grant.${token('a')}`);
    expect(world.asked).toBe(1);
  });

  test('"Try now" goes on with the token, too', async () => {
    const world = await openWith(token('a'));
    await world.close(1006);
    await world.close(1006);
    world.connection.open();
    expect(offered(world)).toBe(`porthole.grant.${token('a')}`);
  });

  test('a token that is refused leads to the broker, silently, and that once more if need be', async () => {
    const world = await openWith(token('a'));
    await world.close(1006);
    await world.close(closeCodes.grant.code);
    expect(world.asked).toBe(2);
    expect(world.view()).toMatchObject({ state: 'connecting', quiet: true, supportId: 's2' });
    await world.close(closeCodes.grant.code);
    expect(world.asked).toBe(3);
    await world.close(closeCodes.grant.code);
    expect(world.view().state).toBe('ended');
  });

  test('offline it waits for the network, and keeps the token', async () => {
    const world = await openWith(token('a'));
    world.online = false;
    await world.close(1006);
    expect(world.view()).toMatchObject({ state: 'retrying', offline: true });
    world.online = true;
    world.connection.networkChanged();
    expect(offered(world)).toBe(`porthole.grant.${token('a')}`);
  });

  test('whoever asks for the console anew gets a new one', async () => {
    const world = await openWith(token('a'));
    world.connection.open();
    await world.settle();
    expect(world.asked).toBe(2);
    expect(offered(world)).toBe('porthole.grant.x');
  });

  test.each(
    (Object.keys(closeCodes) as CloseName[]).filter((name) => closeCodes[name].pageAction !== 'reconnect'),
  )('%s: it is over, and so is the token', async (name) => {
    const world = await openWith(token('a'));
    await world.close(closeCodes[name].code);
    world.connection.open();
    await world.settle();
    const offers = world.lines.flatMap(({ grant }) => grant.protocols);
    expect(offers).not.toContain(`porthole.grant.${token('a')}`);
  });
});

describe('what the relay announces', () => {
  test('is shown until it is taken back', async () => {
    const world = await openWorld();
    const say = (message: ControlMessage) => world.lines.at(-1)?.events.control(message);
    const endsAt = world.clock.now() + 60_000;
    say({ type: 'notice', notice: 'idle', seconds: 60, extend: true });
    expect(world.view().notices).toEqual({ idle: { endsAt, extend: true }, time: undefined });
    say({ type: 'notice', notice: 'time', seconds: 300, extend: false });
    expect(mostUrgent(world.view().notices)).toEqual({ notice: 'idle', endsAt, extend: true });
    say({ type: 'notice_over', notice: 'idle' });
    expect(mostUrgent(world.view().notices)).toMatchObject({ notice: 'time', extend: false });
    say({ type: 'notice_over', notice: 'time' });
    expect(mostUrgent(world.view().notices)).toBeUndefined();
  });

  test('is answered with one word', async () => {
    const world = await openWorld();
    world.connection.extend();
    expect(world.lines[0]?.said).toEqual([{ type: 'extend' }]);
  });

  test('is gone with the line that said it', async () => {
    const world = await openWorld();
    world.lines[0]?.events.control({ type: 'notice', notice: 'idle', seconds: 60, extend: true });
    await world.close(1006);
    await world.advance(1000);
    await world.toPicture();
    expect(world.view().notices).toEqual(noNotices);
  });

  test('a relay that is about to leave changes nothing before it does', async () => {
    const world = await openWorld();
    const before = world.view();
    world.lines[0]?.events.control({ type: 'moving' });
    expect(world.view()).toEqual(before);
  });
});

describe('what the broker refuses', () => {
  const refused = (code: Problem['code'], retryAfter?: number): Answer<Grant> => ({
    ok: false,
    problem: { code, ...(retryAfter ? { retryAfter } : {}) },
  });

  test('not signed in: leads to the sign-in page', async () => {
    const world = createWorld();
    world.answers.push(refused('not_signed_in'));
    world.connection.open();
    await world.settle();
    expect(world.signIns).toBe(1);
    expect(world.view()).toMatchObject({ state: 'ended', offer: 'sign-in' });
  });

  test('too many tries: waits as long as it was told', async () => {
    const world = createWorld();
    world.answers.push(refused('rate_limited', 17));
    world.connection.open();
    await world.settle();
    expect(world.view()).toMatchObject({ state: 'retrying', retryAt: world.clock.now() + 17_000 });
    await world.advance(17_000);
    expect(world.view().state).toBe('connecting');
  });

  test.each(['machine_not_found', 'not_allowed'] as const)('%s: says it', async (code) => {
    const world = createWorld();
    world.answers.push(refused(code));
    world.connection.open();
    await world.settle();
    expect(world.view()).toMatchObject({ state: 'ended', offer: 'list' });
  });

  test('machine_stopped: waits for the machine', async () => {
    const world = createWorld();
    world.answers.push(refused('machine_stopped'));
    world.connection.open();
    await world.settle();
    expect(world.view().state).toBe('waiting');
  });

  test.each(['network', 'nonsense', 'store_unavailable', 'proxmox_unreachable', 'internal'] as const)(
    '%s: tries again',
    async (code) => {
      const world = createWorld();
      world.answers.push(refused(code));
      world.connection.open();
      await world.settle();
      expect(world.view().state).toBe('retrying');
      await world.advance(1000);
      expect(world.view().state).toBe('connecting');
    },
  );
});

test('whatever happens in whatever order: at most one line, no forgotten timer, and a way back', async () => {
  const event = fc.oneof(
    fc
      .constantFrom(...Object.values(closeCodes).map((each) => each.code), 1005, 1006, 3999)
      .map((code) => ({ close: code })),
    fc.integer({ min: 1, max: 90_000 }).map((advance) => ({ advance })),
    fc
      .constantFrom(
        'picture',
        'token',
        'open',
        'offline',
        'online',
        'hide',
        'show',
        'off',
        'running',
        'stale',
      )
      .map((act) => ({ act })),
    fc.constantFrom('not_signed_in', 'rate_limited', 'not_allowed', 'internal').map((refuse) => ({ refuse })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const world = createWorld();
      world.connection.open();
      await world.settle();
      for (const each of events) {
        if ('close' in each) await world.close(each.close);
        else if ('advance' in each) await world.advance(each.advance);
        else if ('refuse' in each) world.answers.push({ ok: false, problem: { code: each.refuse } });
        else if (each.act === 'picture') await world.toPicture();
        else if (each.act === 'token')
          world.lines.at(-1)?.events.control({ type: 'resume', token: 't'.repeat(43) });
        else if (each.act === 'open') world.connection.open();
        else if (each.act === 'stale') world.lines[0]?.events.closed(1006, '');
        else if (each.act === 'off' || each.act === 'running') {
          world.status = { ok: true, value: each.act === 'off' ? 'stopped' : 'running' };
        } else if (each.act === 'hide' || each.act === 'show') {
          world.visible = each.act === 'show';
          world.connection.visibilityChanged();
        } else {
          world.online = each.act === 'online';
          world.connection.networkChanged();
        }
        await world.settle();
        expect(world.lines.filter((line) => line.open).length).toBeLessThanOrEqual(1);
        expect(world.clock.pending()).toBeLessThanOrEqual(1);
      }
      world.answers.length = 0;
      world.connection.open();
      await world.toPicture();
      expect(world.view().state).toBe('open');
      world.connection.stop();
      expect(world.clock.pending()).toBe(0);
      expect(world.lines.filter((line) => line.open)).toHaveLength(0);
    }),
    { numRuns: 300 },
  );
});
