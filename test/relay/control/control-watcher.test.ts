import fc from 'fast-check';
import { TimeLimits } from '@porthole/relay/session/time-limits';
import { createFixture } from './control-world.ts';

test('taking control holds back all others on every relay, and handing it back lets them go on', async () => {
  const { release, startRelay, take } = await createFixture();
  const [one, two] = [startRelay(), startRelay()];
  const ada = await one.open('ada');
  const ben = await two.open('ben', { sessionId: 'ben-1' });
  const ina = await two.open('ina', { inputWhenTaken: true });
  expect([ada.gate.shut, ben.gate.shut, ina.gate.shut]).toEqual([false, false, true]);
  await take('ina');
  expect([ada.gate.shut, ben.gate.shut, ina.gate.shut]).toEqual([true, true, false]);
  expect(ada.messages).toEqual([{ type: 'controlled', mine: false, by: 'ina', ask: true }]);
  expect(ina.messages).toEqual([{ type: 'controlled', mine: true, by: 'ina' }]);
  expect([one.watcher.heldBackConsoles(), two.watcher.heldBackConsoles()]).toEqual([1, 1]);
  expect(await release('ina')).toBe(true);
  expect([ada.gate.shut, ben.gate.shut, ina.gate.shut]).toEqual([false, false, true]);
  expect(ada.messages.at(-1)).toEqual({ type: 'uncontrolled' });
  expect(one.found).toEqual(['signal', 'signal']);
});

test('a change whose signal was lost is effective within two seconds', async () => {
  const { release, startRelay, take, advance } = await createFixture();
  const relay = startRelay();
  relay.state.listening = false;
  const ada = await relay.open('ada');
  const ina = await relay.open('ina');
  await advance(700);
  await take('ina');
  expect(ada.gate.shut).toBe(false);
  await advance(2000);
  expect(ada.gate.shut).toBe(true);
  await release('ina');
  await advance(2000);
  expect([ada.gate.shut, ina.messages.at(-1)]).toEqual([false, { type: 'uncontrolled' }]);
  expect(relay.found).toEqual(['poll', 'poll']);
});

test('a console that opens while another user has control lets nothing through, not even at first', async () => {
  const { startRelay, take } = await createFixture();
  const relay = startRelay();
  await relay.open('ina');
  await take('ina');
  const ada = await relay.open('ada');
  expect([ada.shutAtFirst, ada.gate.shut]).toEqual([true, true]);
});

test('a console that ends while another user has control lets no last input through', async () => {
  const { startRelay, take } = await createFixture();
  const relay = startRelay();
  await relay.open('ina');
  await take('ina');
  const ada = await relay.open('ada');
  ada.close();
  expect(ada.gate.shut).toBe(true);
});

test("control lasts while the holder's console is open, and ends with it", async () => {
  const { startRelay, take, advance, settleHandover } = await createFixture();
  const [one, two] = [startRelay(), startRelay()];
  const ada = await one.open('ada');
  const ina = await two.open('ina');
  await take('ina');
  await advance(10 * 60_000);
  expect(ada.gate.shut).toBe(true);
  ina.close();
  await settleHandover();
  expect(ada.gate.shut).toBe(false);
});

test("control ends when the holder's relay was killed", async () => {
  const { startRelay, take, advance } = await createFixture();
  const [one, two] = [startRelay(), startRelay()];
  const ada = await one.open('ada');
  await two.open('ina');
  await take('ina');
  await advance(5000);
  expect(ada.gate.shut).toBe(true);
  two.kill();
  // The record expires after nine seconds, is polled each second, and the dead relay is waited for for two.
  await advance(13_000);
  expect(ada.gate.shut).toBe(false);
  expect(one.handovers.at(-1)).toBe('timeout');
  expect(ada.messages.at(-1)).toEqual({ type: 'uncontrolled' });
});

test('a holder whose connection was lost keeps control by coming back in time, at any relay', async () => {
  const { startRelay, take, advance } = await createFixture();
  const [one, two] = [startRelay(), startRelay()];
  const ada = await one.open('ada');
  const ina = await one.open('ina');
  await take('ina');
  ina.registration.stop({ keepControl: true });
  await advance(4000);
  await two.open('ina');
  await advance(60_000);
  expect(ada.gate.shut).toBe(true);
});

test('who takes control last has it, and the end of the one before changes nothing', async () => {
  const { startRelay, take, advance, settle } = await createFixture();
  const relay = startRelay();
  const ada = await relay.open('ada');
  const ina = await relay.open('ina');
  const olga = await relay.open('olga');
  await take('ina');
  await take('olga');
  expect([ada.gate.shut, ina.gate.shut, olga.gate.shut]).toEqual([true, true, false]);
  ina.registration.stop({ keepControl: false });
  await settle();
  await advance(30_000);
  expect([ada.gate.shut, olga.gate.shut]).toEqual([true, false]);
});

test('while the store does not answer, control ends when its record would', async () => {
  const { startRelay, take, advance } = await createFixture();
  const relay = startRelay();
  const ada = await relay.open('ada');
  const ina = await relay.open('ina', { inputWhenTaken: true });
  await take('ina');
  relay.state.unavailable = true;
  await advance(5000);
  expect(ada.gate.shut).toBe(true);
  // Then the other relays are waited for: they may have read the record later.
  await advance(4500);
  expect([ada.gate.shut, ina.gate.shut]).toEqual([true, true]);
  await advance(2500);
  expect([ada.gate.shut, ina.gate.shut]).toEqual([false, true]);
});

test('a relay that could not read the store holds input back again when it can, if control was kept elsewhere', async () => {
  const { startRelay, take, advance } = await createFixture();
  const [one, two] = [startRelay(), startRelay()];
  const ada = await one.open('ada');
  await two.open('ina');
  await take('ina');
  one.state.unavailable = true;
  await advance(14_000);
  expect(ada.gate.shut).toBe(false);
  one.state.unavailable = false;
  await advance(2000);
  expect(ada.gate.shut).toBe(true);
});

test('a console works although the store does not answer, and is held back when it does', async () => {
  const { startRelay, take, advance } = await createFixture();
  const [one, two] = [startRelay(), startRelay()];
  await two.open('ina');
  await take('ina');
  one.state.unavailable = true;
  const ada = await one.open('ada');
  expect([ada.shutAtFirst, ada.gate.shut]).toEqual([true, false]);
  one.state.unavailable = false;
  await advance(2000);
  expect(ada.gate.shut).toBe(true);
});

test('asking for control reaches the page of the holder, and only while input is held back', async () => {
  const { startRelay, take, settle } = await createFixture();
  const [one, two] = [startRelay(), startRelay()];
  const ada = await one.open('ada');
  const watching = await one.open('wes', { mode: 'view' });
  const ina = await two.open('ina');
  ada.registration.ask();
  await settle();
  expect(one.asked).toEqual([]);
  await take('ina');
  watching.registration.ask();
  ina.registration.ask();
  ada.registration.ask();
  await settle();
  expect(ina.messages.at(-1)).toEqual({ type: 'control_asked', by: 'ada' });
  for (let each = 0; each < 20; each++) ada.registration.ask();
  await settle();
  expect(one.asked.filter((result) => result === 'sent')).toHaveLength(10);
  expect(one.asked.filter((result) => result === 'refused')).toHaveLength(11);
  expect(ina.messages.filter(({ type }) => type === 'control_asked')).toHaveLength(10);
});

test('input of the new holder passes only after another relay, whose signals are lost, holds back the old one', async () => {
  const { passedTogether, release, startRelay, take, advance } = await createFixture();
  const [one, two] = [startRelay(), startRelay()];
  const ada = await one.open('ada');
  const ina = await two.open('ina', { inputWhenTaken: true });
  one.state.listening = false;
  await take('ina');
  expect([ada.gate.shut, ina.gate.shut]).toEqual([false, true]);
  expect(ina.messages).toEqual([]);
  await advance(2000);
  expect([ada.gate.shut, ina.gate.shut]).toEqual([true, false]);
  one.state.listening = true;
  two.state.listening = false;
  await release('ina');
  expect([ada.gate.shut, ina.gate.shut]).toEqual([true, false]);
  await advance(2000);
  expect([ada.gate.shut, ina.gate.shut]).toEqual([false, true]);
  expect(passedTogether).toEqual([]);
  expect([...one.handovers, ...two.handovers]).toEqual(Array.from({ length: 4 }, () => 'confirmed'));
});

test('a relay that was lost delays a change by two seconds at most', async () => {
  const { startRelay, take, advance } = await createFixture();
  const [one, two, lost] = [startRelay(), startRelay(), startRelay()];
  await one.open('ada');
  await lost.open('ben');
  const ina = await two.open('ina', { inputWhenTaken: true });
  lost.kill();
  await take('ina');
  await advance(1500);
  expect(ina.gate.shut).toBe(true);
  await advance(1000);
  expect(ina.gate.shut).toBe(false);
  expect(two.handovers).toEqual(['timeout']);
});

test('a session whose connection was lost is not waited for', async () => {
  const { startRelay, take } = await createFixture();
  const [one, two] = [startRelay(), startRelay()];
  const ada = await one.open('ada');
  const ina = await two.open('ina', { inputWhenTaken: true });
  ada.lose();
  await take('ina');
  expect(ina.gate.shut).toBe(false);
  expect(two.handovers).toEqual(['confirmed']);
});

test('other windows of the holder are held back, and are told that control is in another window', async () => {
  const { release, startRelay, take } = await createFixture();
  const relay = startRelay();
  const window = await relay.open('ina', { sessionId: 'ina-2' });
  const holder = await relay.open('ina');
  await take('ina');
  expect([window.gate.shut, holder.gate.shut]).toEqual([true, false]);
  expect(window.messages).toEqual([{ type: 'controlled', mine: false, by: 'ina', elsewhere: true }]);
  // Control can move between them.
  await take('ina', 'ina-2');
  expect([window.gate.shut, holder.gate.shut]).toEqual([false, true]);
  expect(await release('ina')).toBe(true);
  expect([window.gate.shut, holder.gate.shut]).toEqual([false, false]);
});

test('all places at a shared screen change in one step, whichever relays their sessions are at', async () => {
  const { release, settle, startRelay, take } = await createFixture();
  const [one, two, owner] = [startRelay(), startRelay(), startRelay()];
  await one.open('ada');
  await two.open('ina', { inputWhenTaken: true });
  const ada = owner.seat('ada');
  const ina = owner.seat('ina', { inputWhenTaken: true });
  expect([ada.changes, ina.changes]).toEqual([[false], [false]]);
  await settle();
  expect([ada.changes.at(-1), ina.changes.at(-1)]).toEqual([true, false]);
  await take('ina');
  expect([ada.changes.at(-1), ina.changes.at(-1)]).toEqual([false, true]);
  const late = owner.seat('ben');
  expect(late.changes).toEqual([false, false]);
  await release('ina');
  expect([ada, ina, late].map(({ changes }) => changes.at(-1))).toEqual([true, false, true]);
  const before = ada.changes.length;
  for (const { leave } of [ada, ina, late]) leave();
  await take('ina');
  expect(ada.changes).toHaveLength(before);
});

test('the idle time of users who may not type does not go on, and that of the others does', async () => {
  const { release, startRelay, take, advance } = await createFixture();
  const relay = startRelay();
  const ada = await relay.open('ada');
  const ina = await relay.open('ina', { inputWhenTaken: true });
  const olga = await relay.open('olga', { inputWhenTaken: true });
  await advance(5000);
  expect(ada.idleRestarts()).toBe(0);
  await take('ina');
  await advance(5000);
  expect(ada.idleRestarts()).toBe(10);
  expect([ina.idleRestarts(), olga.idleRestarts()]).toEqual([0, 0]);
  await release('ina');
  await advance(5000);
  expect(ada.idleRestarts()).toBe(10);
});

test('a user who may not type for longer than the idle limit is not ended as idle, and is some time later', async () => {
  const { clock, release, startRelay, take, advance } = await createFixture();
  const relay = startRelay();
  const ended: string[] = [];
  const claims = { limits: { sessionSeconds: 7200, idleSeconds: 60, perUser: 1, perMachine: 1 } };
  const limits = new TimeLimits({ clock, claims, sendControl: () => {} });
  limits.start(({ code }) => ended.push(code));
  await relay.open('ina', { inputWhenTaken: true });
  await relay.open('ada', {}, () => limits.restartIdle());
  await advance(50_000);
  await take('ina');
  await advance(10 * 60_000);
  await release('ina');
  await advance(50_000);
  expect(ended).toEqual([]);
  await advance(15_000);
  expect(ended).toEqual(['idle']);
});

test('at rest, a relay asks the store once per second, whatever the number of its consoles, and never without', async () => {
  const { startRelay, advance, clock } = await createFixture();
  const relay = startRelay();
  await advance(10_000);
  expect(relay.state.calls).toBe(0);
  for (let vmid = 100; vmid < 200; vmid++) await relay.open(`user-${vmid}`, { vmid });
  await advance(1500);
  const before = relay.state.calls;
  await advance(15_000);
  expect(relay.state.calls - before).toBe(15);
  relay.stop();
  expect(clock.pending()).toBe(0);
});

test('whatever happens in whatever order, only the holder types, and all relays agree when it is over', async () => {
  const users = ['ada', 'ben', 'ina', 'olga'] as const;
  const step = fc.oneof(
    fc.record({ do: fc.constant('take' as const), user: fc.constantFrom(...users) }),
    fc.record({ do: fc.constant('release' as const), user: fc.constantFrom(...users) }),
    fc.record({ do: fc.constant('close' as const), user: fc.constantFrom(...users) }),
    fc.record({ do: fc.constant('open' as const), user: fc.constantFrom(...users) }),
    fc.record({ do: fc.constant('wait' as const), user: fc.constantFrom(...users) }),
    fc.record({ do: fc.constant('deafen' as const), user: fc.constantFrom(...users) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { passedTogether, release, startRelay, take, advance, settle, settleHandover } =
        await createFixture();
      const relays = [startRelay(), startRelay()];
      const open = new Map<string, Awaited<ReturnType<(typeof relays)[0]['open']>>>();
      let holder: string | undefined;
      for (const { do: action, user } of steps) {
        const console = open.get(user);
        if (action === 'open' && !console) {
          const relay = relays[users.indexOf(user) % 2];
          if (relay) open.set(user, await relay.open(user, { inputWhenTaken: user === 'olga' }));
        } else if (action === 'close' && console) {
          console.close();
          await settleHandover();
          open.delete(user);
          if (holder === user) holder = undefined;
        } else if (action === 'take' && console) {
          await take(user);
          holder = user;
        } else if (action === 'release') {
          expect(await release(user)).toBe(holder === user);
          if (holder === user) holder = undefined;
        } else if (action === 'wait') await advance(5000);
        else if (action === 'deafen') {
          // Signals of one relay get lost from now on, or arrive again.
          const relay = relays[users.indexOf(user) % 2];
          if (relay) relay.state.listening = !relay.state.listening;
        }
        await settle();
        expect(passedTogether).toEqual([]);
        // A relay whose signals are lost finds out by polling.
        if (relays.some(({ state }) => !state.listening)) await advance(4000);
        for (const [each, { gate }] of open)
          expect([each, gate.shut]).toEqual([each, holder === undefined ? each === 'olga' : each !== holder]);
      }
      for (const relay of relays) relay.stop();
    }),
    { numRuns: 60 },
  );
});
