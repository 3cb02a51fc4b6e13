import { PortholeError } from '@porthole/shared/errors';
import { createHandshake } from '@porthole/relay/stream/handshake';
import { runHandshake } from '@porthole/relay/stream/run-handshake';
import { createMemoryLink } from './memory-link.ts';

/** A handshake that answers `hello` with `welcome`, and refuses anything else. */
function createGreeting() {
  let done = false;
  return createHandshake({
    advance(queue) {
      if (done) return undefined;
      const greeting = queue.read(5);
      if (!greeting) return undefined;
      if (greeting.toString() !== 'hello') throw new PortholeError('viewer_protocol');
      done = true;
      return [Buffer.from('welcome')];
    },
    done: () => done,
  });
}

function start(options: { pauseAfter?: boolean } = {}) {
  const link = createMemoryLink();
  const abort = new AbortController();
  const ends: [boolean, string | undefined][] = [];
  let firstBytes = 0;
  let exceeded = 0;
  const handshake = runHandshake(link, createGreeting(), {
    signal: abort.signal,
    onFirstByte: () => firstBytes++,
    ...options,
    leftover: { maxBytes: 10, onExceeded: () => exceeded++ },
    onEnded: (receivedAnything, error) => ends.push([receivedAnything, error?.code]),
  });
  handshake.catch(() => {});
  const sent = () => Buffer.concat(link.sent).toString();
  return { link, abort, handshake, ends, sent, firstBytes: () => firstBytes, exceeded: () => exceeded };
}

describe('a handshake over a link', () => {
  test('resolves with what arrives behind it, until that is taken', async () => {
    const { link, handshake, sent, firstBytes } = start();
    link.receive('he', 'llo, ', 'there');
    expect(sent()).toBe('welcome');
    expect(firstBytes()).toBe(1);
    const takeLeftover = await handshake;
    link.receive('!');
    expect(takeLeftover().toString()).toBe(', there!');
    expect(takeLeftover()).toHaveLength(0);
  });

  test('pauses the link when it is done, if its peer may send without end', async () => {
    const { link, handshake } = start({ pauseAfter: true });
    link.receive('hello');
    await handshake;
    expect(link.paused).toBe(true);
  });

  test('drops the leftover and reports it if it exceeds the limit', async () => {
    const { link, handshake, exceeded } = start();
    link.receive('hello', '0123456789');
    expect(exceeded()).toBe(0);
    link.receive('x');
    expect(exceeded()).toBe(1);
    expect((await handshake)()).toHaveLength(0);
  });

  test('rejects with the error of the peer, and processes nothing after it', async () => {
    const { link, handshake, sent } = start();
    link.receive('HELLO', 'hello');
    await expect(handshake).rejects.toMatchObject({ code: 'viewer_protocol' });
    expect(sent()).toBe('');
  });

  test('rejects with the reason of its signal, and processes nothing after it', async () => {
    const { link, abort, handshake, sent } = start();
    abort.abort(new Error('too late'));
    link.receive('hello');
    await expect(handshake).rejects.toThrow('too late');
    expect(sent()).toBe('');
  });

  test('rejects at once if its signal is aborted already, and leaves the link alone', async () => {
    const link = createMemoryLink();
    const handshake = runHandshake(link, createGreeting(), {
      signal: AbortSignal.abort(new Error('too late')),
      leftover: { maxBytes: 10, onExceeded() {} },
      onEnded() {},
    });
    await expect(handshake).rejects.toThrow('too late');
    expect(link.handlersSet).toBe(0);
  });

  test('reports the end of the link, and whether anything was received', () => {
    const silent = start();
    silent.link.end();
    expect(silent.ends).toEqual([[false, undefined]]);
    const talking = start();
    talking.link.receive('he');
    talking.link.end(new PortholeError('viewer_protocol'));
    expect(talking.ends).toEqual([[true, 'viewer_protocol']]);
  });
});
