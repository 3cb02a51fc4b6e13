import type { Answer, Grant } from '../../../../services/broker/web/src/api.ts';
import { createWorld, openWorld } from './connection-world.ts';

const consentRequired: Answer<Grant> = { ok: false, problem: { code: 'consent_required' } };

test('a console that needs consent asks for it, and tells the broker of it from then on', async () => {
  const world = createWorld();
  world.answers.push(consentRequired);
  world.connection.open();
  await world.settle();
  expect(world.view()).toMatchObject({ state: 'ended', offer: 'consent' });
  world.connection.openWithConsent();
  await world.settle();
  expect(world.view().state).toBe('connecting');
  world.connection.open();
  await world.settle();
  expect(world.consents).toEqual([false, true, true]);
});

test('a page knows that its console is recorded before the first picture, and when that has stopped', async () => {
  const world = createWorld();
  world.connection.open();
  await world.settle();
  const events = world.sockets.at(-1)?.events;
  events?.onOpen();
  events?.onControlMessage({ type: 'opened', mode: 'control', recorded: true });
  expect(world.view()).toMatchObject({ state: 'awaiting-frame', sessionInfo: { recorded: true } });
  events?.onFirstFrame();
  events?.onControlMessage({ type: 'not_recorded' });
  expect(world.view()).toMatchObject({ state: 'open', sessionInfo: { recorded: false } });
  const other = await openWorld();
  expect(other.view().sessionInfo.recorded).toBeUndefined();
});
