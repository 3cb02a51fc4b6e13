import fc from 'fast-check';
import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';
import { startPump } from '@porthole/relay/stream/pump';
import { createTerminalProtocol } from '@porthole/relay/terminal/terminal-protocol';
import { PacedLink, windowBytes } from '@porthole/relay/terminal/paced-link';
import { terminalLimits } from '@porthole/relay/terminal/terminal-messages';
import { systemClock } from '@porthole/shared/time/clock';
import { createFakeClock } from '../../fakes/clock.ts';
import { createTermproxyQueue } from '../../fakes/proxmox/termproxy-queue.ts';
import { aGrant } from '../rig.ts';
import { createMemoryLink, createRecordingHandler } from '../stream/memory-link.ts';

const { inputQuiet, inputSilence, inputBusy } = defaultDeadlines;

function startLink() {
  const clock = createFakeClock();
  const machine = createMemoryLink();
  const link = new PacedLink(machine, {
    clock,
    deadlines: defaultDeadlines,
    answers: { sent() {}, received() {} },
  });
  link.setHandler(createRecordingHandler().handler);
  const events: (string | number)[] = [];
  const termproxy = createTermproxyQueue({
    input: (bytes) => events.push(bytes.toString('latin1')),
    resize: (columns) => events.push(columns),
  });
  let read = 0;
  return {
    clock,
    machine,
    link,
    /** What the terminal has got so far. */
    got() {
      for (; read < machine.sent.length; read++) termproxy.push(machine.sent[read] ?? Buffer.alloc(0));
      return events;
    },
    text() {
      return this.got()
        .filter((event) => typeof event === 'string')
        .join('');
    },
  };
}

const input = (text: string) => Buffer.from(`0:${text.length}:${text}`);

describe('input for a terminal', () => {
  test('is sent at once while it is short', () => {
    const { machine, link } = startLink();
    const keys = ['l', 's', '\r'];
    for (const key of keys) link.send(input(key));
    expect(machine.sent.map(String)).toEqual(keys.map((key) => `0:1:${key}`));
  });

  test('arrives in order and complete, in whole messages within the window, at any pace of the terminal', () => {
    const action = fc.oneof(
      fc.nat({ max: 20_000 }).map((bytes) => ({ bytes })),
      fc.nat({ max: 1200 }).map((wait) => ({ wait })),
      fc.constant({ output: true }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const terminal = startLink();
        let expected = '';
        let index = 0;
        for (const each of actions) {
          if ('bytes' in each) {
            const text = Array.from({ length: each.bytes }, () => String.fromCharCode(0x20 + (index++ % 90)));
            expected += text.join('');
            if (each.bytes > 0) terminal.link.send(input(text.join('')));
          } else if ('wait' in each) terminal.clock.advance(each.wait);
          else terminal.machine.receive('x');
        }
        terminal.clock.advance(10 * 60_000);
        expect(terminal.text() === expected).toBe(true);
        for (const sent of terminal.machine.sent) expect(sent.length).toBeLessThanOrEqual(windowBytes);
        terminal.machine.drain();
        expect(terminal.link.buffered).toBe(0);
        expect(terminal.clock.pending()).toBe(0);
      }),
    );
  });

  test('goes on after the output has paused, after a silence, or after some seconds of steady output', () => {
    const { clock, machine, link } = startLink();
    const sent = () => Math.ceil(Buffer.concat(machine.sent).length / windowBytes);
    link.send(input('x'.repeat(100_000)));
    expect(sent()).toBe(1);
    clock.advance(10);
    machine.receive('x');
    clock.advance(inputQuiet - 1);
    machine.receive('x');
    clock.advance(inputQuiet - 1);
    expect(sent()).toBe(1);
    clock.advance(1);
    expect(sent()).toBe(2);
    clock.advance(inputSilence - 1);
    expect(sent()).toBe(2);
    clock.advance(1);
    expect(sent()).toBe(3);
    for (let at = 0; at < inputBusy; at += 10) {
      expect(sent()).toBe(3);
      machine.receive('x');
      clock.advance(10);
    }
    expect(sent()).toBe(4);
    link.stop();
    clock.advance(60_000);
    expect(sent()).toBe(4);
  });

  test('lets a size pass, which needs no place in it', () => {
    const { link, got } = startLink();
    link.send(Buffer.concat([input('x'.repeat(10_000)), Buffer.from('1:132:43:'), input('y')]));
    expect(got()).toEqual([132, expect.stringMatching(/^x+$/)]);
  });

  test('is discarded when the connection ends', () => {
    const { clock, machine, link } = startLink();
    link.send(input('x'.repeat(10_000)));
    machine.end();
    machine.drain();
    expect(link.buffered).toBe(0);
    expect(clock.pending()).toBe(0);
  });

  test('never makes the relay stop reading its viewer, and ends the session above 2 MiB', () => {
    const clock = createFakeClock();
    const [viewer, machine] = [createMemoryLink(), createMemoryLink()];
    const ends: unknown[] = [];
    const protocol = createTerminalProtocol({
      clock,
      claims: aGrant(systemClock, { kind: 'terminal' }),
      upstream: { link: machine, takeLeftover: () => Buffer.alloc(0) },
      send: () => true,
      gate: { shut: false },
      onHumanInput() {},
      onPicture() {},
      onAnswering() {},
      deadlines: defaultDeadlines,
    });
    startPump(
      {
        clock,
        viewer,
        viewerLeftover: () => Buffer.alloc(0),
        machine: protocol.upstream.link,
        machineLeftover: () => Buffer.alloc(0),
        filter: protocol.filter,
        maxInputWaiting: protocol.maxInputWaiting,
      },
      { count() {}, onEnd: (side, error) => ends.push([side, error?.code]) },
    );
    const { waitingBytes } = terminalLimits;
    const message = input('x'.repeat(64 * 1024));
    const messages = waitingBytes / (64 * 1024);
    for (let index = 0; index < messages; index++) viewer.receive(message);
    // At the slowest pace, all of it takes half an hour.
    for (let elapsed = 0; elapsed < 60_000; elapsed += 50) {
      machine.drain();
      machine.receive('x');
      clock.advance(50);
      expect(viewer.paused).toBe(false);
    }
    expect(protocol.upstream.link.buffered).toBeGreaterThan(waitingBytes - 128 * 1024);
    expect(ends).toEqual([]);
    viewer.receive(message, message);
    expect(ends).toEqual([['viewer', 'viewer_message_too_big']]);
    protocol.stop();
    machine.drain();
    expect(protocol.upstream.link.buffered).toBe(0);
    expect(clock.pending()).toBe(0);
  });
});
