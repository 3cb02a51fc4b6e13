import { createClassStates } from '@porthole/shared/class/class-states';
import { systemRandom } from '@porthole/shared/crypto/random';
import { PortholeError } from '@porthole/shared/errors';
import type { ControlMessage } from '@porthole/shared/protocol/control-messages';
import { createConsoleSignals } from '@porthole/shared/session/signals';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import { createClassWatcher } from '@porthole/relay/session/class-watcher';
import { InputGate } from '@porthole/relay/session/input-gate';
import { createFakeClock } from '../../fakes/clock.ts';
import { grantKey } from '../rig.ts';

const classNames = ['lab'];
const oneMinute = 60_000;

/** A watcher with its own store, whose time and signals the test controls. */
async function createFixture() {
  const clock = createFakeClock();
  const store = createMemoryStore({ clock });
  await store.start();
  let calls = 0;
  let unavailable = false;
  const counted = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          calls += 1;
          if (unavailable) return Promise.reject(new PortholeError('store_unavailable'));
          return method.apply(target, args) as unknown;
        };
      },
    });
  const keys = () => [grantKey];
  const common = { keys, random: systemRandom };
  const signals = createConsoleSignals({ bus: store.signals, ...common, clock });
  /** What instructors do, through another process. */
  const states = createClassStates({ ...common, records: store.records, leases: store.leases, signals });
  const found: string[] = [];
  const watcher = createClassWatcher({
    states: createClassStates({
      ...common,
      records: counted(store.records),
      leases: counted(store.leases),
      signals,
    }),
    clock,
    metrics: { classChanged: (foundBy) => found.push(foundBy) },
  });
  let listening = true;
  signals.subscribe((signal) => {
    if (listening && signal.type === 'class') watcher.onChanged(signal.name);
  });
  const stop = watcher.start();
  const settle = async () => {
    for (let turn = 0; turn < 60; turn++) await Promise.resolve();
  };
  return {
    clock,
    states,
    watcher,
    found,
    stop,
    settle,
    calls: () => calls,
    loseSignals: () => (listening = false),
    setUnavailable: (value: boolean) => (unavailable = value),
    async advance(ms: number) {
      for (let left = ms; left > 0; left -= 500) {
        clock.advance(Math.min(500, left));
        await settle();
      }
    },
    async join(
      user = 'ada',
      names: readonly string[] = classNames,
      issuedAt = clock.now(),
      follows?: { readonly class: string; readonly showing: string },
    ) {
      const messages: ControlMessage[] = [];
      const gate = new InputGate();
      const ends: PortholeError[] = [];
      let idleRestarts = 0;
      const registration = watcher.register(names, {
        claims: {
          user: { id: user, name: user, groups: [] },
          issuedAt,
          cluster: 'lab',
          vmid: 100,
          ...(follows ? { follows } : {}),
        },
        gate,
        timeLimits: { restartIdle: () => void (idleRestarts += 1) },
        sendControl: (message) => messages.push(message),
        end: (error) => ends.push(error),
      });
      const shutAtFirst = gate.shut;
      await settle();
      return { messages, gate, ends, registration, shutAtFirst, idleRestarts: () => idleRestarts };
    },
    async pause(seconds = 60, text = 'Eyes up here.') {
      const until = clock.now() + seconds * 1000;
      await states.pauses.write('lab', { version: 1, until, text, by: 'Ina' }, seconds * 1000);
      await states.announce('lab');
      await settle();
    },
    async show(id: string, seconds = 60) {
      const since = clock.now();
      const shown = { version: 1 as const, id, cluster: 'lab', vmid: 7, name: 'ben', since };
      await states.showings.write('lab', { ...shown, until: since + seconds * 1000 }, seconds * 1000);
      await states.announce('lab');
      await settle();
    },
    raise: (user: string) =>
      states.help.raise('lab', {
        version: 1,
        user: { id: user, name: user },
        since: clock.now(),
        text: '',
      }),
  };
}

test('a pause shuts the gate of each member, and the page learns why and for how long', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join();
  expect([ada.gate.shut, ada.messages]).toEqual([false, []]);
  await fixture.pause(600);
  expect(ada.gate.shut).toBe(true);
  expect(ada.messages).toEqual([{ type: 'paused', seconds: 600, text: 'Eyes up here.', by: 'Ina' }]);
  expect(fixture.watcher.pausedConsoles()).toBe(1);
  await fixture.states.pauses.clear('lab');
  await fixture.states.announce('lab');
  await fixture.settle();
  expect(ada.gate.shut).toBe(false);
  expect(ada.messages.at(-1)).toEqual({ type: 'unpaused' });
  expect(fixture.found).toEqual(['signal', 'signal']);
});

test('a pause whose signal was lost is effective within two seconds', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join();
  fixture.loseSignals();
  await fixture.advance(700);
  await fixture.pause();
  expect(ada.gate.shut).toBe(false);
  await fixture.advance(2000);
  expect(ada.gate.shut).toBe(true);
  expect(fixture.found).toEqual(['poll']);
});

test('a pause ends by itself, also while the store is away', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join();
  await fixture.pause(30);
  fixture.setUnavailable(true);
  await fixture.advance(29_000);
  expect(ada.gate.shut).toBe(true);
  await fixture.advance(1500);
  expect(ada.gate.shut).toBe(false);
  expect(ada.messages.map(({ type }) => type)).toEqual(['paused', 'unpaused']);
});

test('no console becomes idle during a pause', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join();
  await fixture.advance(oneMinute);
  expect(ada.idleRestarts()).toBe(0);
  await fixture.pause(600);
  await fixture.advance(oneMinute);
  expect(ada.idleRestarts()).toBeGreaterThanOrEqual(60);
});

test('a console that opens during a pause lets nothing through, not even before the store has answered', async () => {
  const fixture = await createFixture();
  await fixture.pause();
  const first = await fixture.join();
  expect([first.shutAtFirst, first.gate.shut]).toEqual([true, true]);
  const second = await fixture.join('ben');
  expect([second.shutAtFirst, second.gate.shut]).toEqual([true, true]);
});

test('a console works although the store does not answer, and is paused when it does', async () => {
  const fixture = await createFixture();
  await fixture.pause();
  fixture.setUnavailable(true);
  const ada = await fixture.join();
  expect([ada.shutAtFirst, ada.gate.shut]).toEqual([true, false]);
  fixture.setUnavailable(false);
  await fixture.advance(2000);
  expect(ada.gate.shut).toBe(true);
});

test('the store is asked once per class and second at rest, whatever the number of consoles, and never without a class', async () => {
  const fixture = await createFixture();
  await fixture.advance(oneMinute);
  expect(fixture.calls()).toBe(0);
  const consoles = [];
  for (let each = 0; each < 100; each++) consoles.push(await fixture.join(`user-${each}`));
  await fixture.advance(1500);
  const before = fixture.calls();
  await fixture.advance(15_000);
  expect(fixture.calls() - before).toBe(15);
  for (const { registration } of consoles) registration.stop();
  const after = fixture.calls();
  await fixture.advance(oneMinute);
  expect(fixture.calls()).toBe(after);
  fixture.stop();
  expect(fixture.clock.pending()).toBe(0);
});

test('of two paused classes, the page sees the pause that lasts longer, and input passes when both have gone on', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join('ada', ['lab', 'other']);
  await fixture.pause(60);
  const until = fixture.clock.now() + 120_000;
  await fixture.states.pauses.write('other', { version: 1, until, text: 'Longer.' }, 120_000);
  await fixture.states.announce('other');
  await fixture.advance(61_000);
  expect(ada.gate.shut).toBe(true);
  await fixture.advance(60_000);
  expect(ada.gate.shut).toBe(false);
  expect(ada.messages.map((message) => (message.type === 'paused' ? message.text : message.type))).toEqual([
    'Eyes up here.',
    'Longer.',
    'unpaused',
  ]);
});

test('the end of a class is announced, and ends the consoles that were granted before it, and no later ones', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join();
  const at = fixture.clock.now() + oneMinute;
  await fixture.states.endings.write('lab', { version: 1, at, by: 'Ina' }, 3_600_000);
  await fixture.states.announce('lab');
  await fixture.settle();
  expect(ada.messages).toEqual([{ type: 'notice', notice: 'class', seconds: 60, extend: false }]);
  await fixture.advance(59_000);
  expect(ada.ends).toEqual([]);
  await fixture.advance(1500);
  expect(ada.ends.map(({ code, message }) => [code, message])).toEqual([
    ['ended_by_operator', 'Ended by Ina.'],
  ]);
  const late = await fixture.join('ben', classNames, at - 1);
  expect(late.ends).toHaveLength(1);
  const next = await fixture.join('carl', classNames, at + 1);
  expect([next.ends, next.messages]).toEqual([[], []]);
});

test('a withdrawn end ends no console', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join();
  await fixture.states.endings.write('lab', { version: 1, at: fixture.clock.now() + oneMinute }, 3_600_000);
  await fixture.states.announce('lab');
  await fixture.settle();
  await fixture.states.endings.clear('lab');
  await fixture.states.announce('lab');
  await fixture.advance(2 * oneMinute);
  expect(ada.ends).toEqual([]);
  expect(ada.messages.at(-1)).toEqual({ type: 'notice_over', notice: 'class' });
});

test('a message reaches all members or those that it names, once each, and for ten minutes also consoles that open later', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join('ada');
  const ben = await fixture.join('ben');
  const send = async (id: string, text: string, users?: string[]) => {
    await fixture.states.messages.add('lab', { id, at: fixture.clock.now(), text, ...(users && { users }) });
    await fixture.states.announce('lab');
    await fixture.settle();
  };
  await send('1', 'To all.');
  await send('2', 'To Ben.', ['ben']);
  expect(ada.messages).toEqual([{ type: 'message', id: '1', text: 'To all.' }]);
  expect(ben.messages.map((message) => 'id' in message && message.id)).toEqual(['1', '2']);
  await fixture.advance(5 * oneMinute);
  const late = await fixture.join('ben');
  expect(late.messages.map((message) => 'id' in message && message.id)).toEqual(['1', '2']);
  await fixture.advance(6 * oneMinute);
  expect((await fixture.join('ben')).messages).toEqual([]);
});

test('members with a raised hand learn their place, and that they have moved up', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join('ada');
  const ben = await fixture.join('ben');
  await fixture.raise('ada');
  await fixture.states.announce('lab');
  await fixture.raise('ben');
  await fixture.states.announce('lab');
  await fixture.settle();
  expect(ada.messages).toEqual([{ type: 'help', raised: true, position: 1 }]);
  expect(ben.messages.at(-1)).toEqual({ type: 'help', raised: true, position: 2 });
  await fixture.states.help.lower('lab', 'ada');
  await fixture.states.announce('lab');
  await fixture.settle();
  expect(ada.messages.at(-1)).toEqual({ type: 'help', raised: false });
  expect(ben.messages.at(-1)).toEqual({ type: 'help', raised: true, position: 1 });
});

test('a hand stays raised while its member has a console, and is lowered soon after', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join('ada');
  const ben = await fixture.join('ben');
  await fixture.raise('ada');
  await fixture.raise('ben');
  await fixture.states.announce('lab');
  await fixture.advance(10 * oneMinute);
  expect(await fixture.states.help.order('lab')).toHaveLength(2);
  ada.registration.stop();
  await fixture.advance(5 * oneMinute);
  expect((await fixture.states.help.list('lab')).map(({ user }) => user.id)).toEqual(['ben']);
  expect(ben.messages.at(-1)).toEqual({ type: 'help', raised: true, position: 1 });
});

test('a console that has left its class is neither paused nor ended', async () => {
  const fixture = await createFixture();
  const ada = await fixture.join();
  await fixture.pause();
  ada.registration.stop();
  expect(ada.gate.shut).toBe(false);
  await fixture.states.endings.write('lab', { version: 1, at: fixture.clock.now() }, 3_600_000);
  await fixture.states.announce('lab');
  await fixture.advance(5000);
  expect([ada.ends, fixture.watcher.pausedConsoles()]).toEqual([[], 0]);
});

describe('what is shown to a class', () => {
  const follow = async (fixture: Awaited<ReturnType<typeof createFixture>>, showing = 'first') =>
    fixture.join('ben', classNames, undefined, { class: 'lab', showing });

  test('ends for followers within two seconds if every signal is lost', async () => {
    const fixture = await createFixture();
    await fixture.show('first');
    const ben = await follow(fixture);
    expect([ben.ends, ben.messages]).toEqual([[], []]);
    fixture.loseSignals();
    await fixture.states.showings.clear('lab');
    await fixture.states.announce('lab');
    await fixture.advance(2000);
    expect(ben.ends).toMatchObject([{ code: 'ended_by_operator' }]);
  });

  test('ends at its time, also while the store is unavailable', async () => {
    const fixture = await createFixture();
    await fixture.show('first', 60);
    const [ada, ben] = [await fixture.join(), await follow(fixture)];
    fixture.setUnavailable(true);
    await fixture.advance(59_000);
    expect(ben.ends).toEqual([]);
    await fixture.advance(1500);
    expect(ben.ends).toHaveLength(1);
    expect(ada.messages.map(({ type }) => type)).toEqual(['shown', 'not_shown']);
  });

  test('ends with the class, and members are told each change once', async () => {
    const fixture = await createFixture();
    const ada = await fixture.join('ada', classNames, fixture.clock.now() + oneMinute);
    await fixture.show('first', 600);
    const ben = await follow(fixture);
    await fixture.states.endings.write('lab', { version: 1, at: fixture.clock.now() + 5000 }, oneMinute);
    await fixture.states.announce('lab');
    await fixture.advance(4500);
    expect(ben.ends).toEqual([]);
    await fixture.advance(1000);
    expect(ben.ends).toHaveLength(1);
    expect(ada.messages.map(({ type }) => type)).toEqual(['shown', 'not_shown']);
  });

  test('does not make its followers idle', async () => {
    const fixture = await createFixture();
    await fixture.show('first', 600);
    const ben = await follow(fixture);
    await fixture.advance(oneMinute);
    expect(ben.idleRestarts()).toBeGreaterThanOrEqual(60);
    expect(ben.ends).toEqual([]);
  });

  test('is neither paused nor sent messages in the consoles of followers', async () => {
    const fixture = await createFixture();
    await fixture.show('first');
    const ben = await follow(fixture);
    await fixture.pause();
    expect([ben.gate.shut, ben.messages, fixture.watcher.followingConsoles()]).toEqual([false, [], 1]);
    expect(fixture.watcher.pausedConsoles()).toBe(0);
    ben.registration.stop();
    expect(fixture.watcher.followingConsoles()).toBe(0);
  });
});
