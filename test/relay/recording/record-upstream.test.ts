import type { Link, LinkHandler } from '@porthole/relay/stream/link';
import { recordUpstream } from '@porthole/relay/recording/record-upstream';

/** A machine, and a recorder that is behind when the test says so. */
function createWorld() {
  const reads: string[] = [];
  const seen: string[] = [];
  let handler: LinkHandler | undefined;
  let behind = false;
  let onCaughtUp: (() => void) | undefined;
  const link: Link = {
    buffered: 0,
    framesSent: 0,
    send: () => true,
    pause: () => void reads.push('pause'),
    resume: () => void reads.push('resume'),
    setHandler: (next) => void (handler = next),
    destroy() {},
  };
  const side = recordUpstream(
    { link, takeLeftover: () => Buffer.from('left over') },
    {
      screen() {},
      terminalOutput() {},
      record() {},
      mustWait(callback) {
        if (behind) onCaughtUp = callback;
        return behind;
      },
    },
    (source, start, end) => void seen.push(`recorded ${source.toString('latin1', start, end)}`),
  );
  side.link.setHandler({
    onBytes: (source, start, end) => void seen.push(`forwarded ${source.toString('latin1', start, end)}`),
    onEnded() {},
  });
  return {
    side,
    reads,
    seen,
    receive: (text: string) => handler?.onBytes(Buffer.from(text), 0, text.length),
    fallBehind: () => void (behind = true),
    catchUp() {
      behind = false;
      onCaughtUp?.();
    },
  };
}

test('what a machine sends is recorded, then forwarded', () => {
  const { side, receive, seen, reads } = createWorld();
  expect(side.takeLeftover().toString()).toBe('left over');
  receive('a');
  expect(seen).toEqual(['recorded left over', 'recorded a', 'forwarded a']);
  expect(reads).toEqual([]);
});

test('a machine is not read while its recorder is behind, and what it has sent is forwarded', () => {
  const { receive, seen, reads, fallBehind, catchUp } = createWorld();
  fallBehind();
  receive('a');
  // Of the same read.
  receive('b');
  expect(seen).toContain('forwarded b');
  expect(reads).toEqual(['pause']);
  catchUp();
  expect(reads).toEqual(['pause', 'resume']);
  receive('c');
  expect(reads).toHaveLength(2);
});

test('a machine that waits for its viewer as well is read when neither is behind, in either order', () => {
  for (const viewerFirst of [true, false]) {
    const { side, receive, reads, fallBehind, catchUp } = createWorld();
    fallBehind();
    receive('a');
    side.link.pause();
    const before = reads.length;
    for (const resume of viewerFirst
      ? [() => side.link.resume(), catchUp]
      : [catchUp, () => side.link.resume()]) {
      expect(reads).toHaveLength(before);
      resume();
    }
    expect(reads.at(-1)).toBe('resume');
  }
});
