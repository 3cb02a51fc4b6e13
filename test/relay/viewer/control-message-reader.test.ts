import { createControlMessageReader } from '@porthole/relay/viewer/control-message-reader';
import { createFakeClock } from '../../fakes/clock.ts';

const extend = JSON.stringify({ type: 'extend' });

test('a viewer may send sixty control messages in ten seconds', () => {
  const clock = createFakeClock();
  const read = createControlMessageReader(clock);
  for (let i = 0; i < 60; i++) expect(read(extend)).toEqual({ type: 'extend' });
  expect(() => read(extend)).toThrow(expect.objectContaining({ code: 'viewer_protocol' }));
  clock.advance(10_000);
  expect(read(extend)).toEqual({ type: 'extend' });
});

test.each<[string, string, string]>([
  ['is too long', JSON.stringify({ type: 'extend', why: 'x'.repeat(256) }), 'viewer_message_too_big'],
  ['is not JSON', '{', 'viewer_protocol'],
  ['has an unknown type', '{"type":"please"}', 'viewer_protocol'],
])('a text that %s is refused', (_, text, code) => {
  const read = createControlMessageReader(createFakeClock());
  expect(() => read(text)).toThrow(expect.objectContaining({ code }));
});
