import { bufferInput, maxViewerLeftoverBytes } from '@porthole/relay/terminal/buffer-input';
import { createMemoryLink } from '../stream/memory-link.ts';

function start() {
  const link = createMemoryLink();
  const ends: (string | undefined)[] = [];
  const takeLeftover = bufferInput(link, (error) => ends.push(error?.code));
  return { link, ends, takeLeftover };
}

test('the input of a terminal is buffered until its console is open', () => {
  const { link, ends, takeLeftover } = start();
  link.receive('1:80:', '24:');
  expect(takeLeftover().toString()).toBe('1:80:24:');
  expect(ends).toEqual([]);
});

test('a viewer that leaves before its console is open is reported', () => {
  const { link, ends } = start();
  link.end();
  expect(ends).toEqual([undefined]);
});

test('a viewer that sends too much before its console is open is reported, and its input dropped', () => {
  const { link, ends, takeLeftover } = start();
  link.receive(Buffer.alloc(maxViewerLeftoverBytes));
  expect(ends).toEqual([]);
  link.receive('x');
  expect(ends).toEqual(['viewer_message_too_big']);
  expect(takeLeftover()).toHaveLength(0);
});
