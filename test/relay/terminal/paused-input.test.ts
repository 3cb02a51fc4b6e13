import { createTerminalProtocol } from '@porthole/relay/terminal/terminal-protocol';
import { InputGate } from '@porthole/relay/session/input-gate';
import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';
import { createMemoryLink } from '../stream/memory-link.ts';

function createTerminal() {
  const clock = createFakeClock();
  const gate = new InputGate();
  const link = createMemoryLink();
  const protocol = createTerminalProtocol({
    clock,
    claims: aGrant(clock, { kind: 'terminal' }),
    upstream: { link, takeLeftover: () => Buffer.alloc(0) },
    send: () => true,
    gate,
    onHumanInput() {},
    onPicture() {},
    onAnswering() {},
    deadlines: defaultDeadlines,
  });
  gate.onShut(protocol.withdrawInput);
  const send = (text: string) => {
    for (const message of protocol.filter.push(Buffer.from(text))) protocol.upstream.link.send(message);
  };
  const sent = () => Buffer.concat(link.sent).toString();
  return { clock, gate, sent, send, stop: protocol.stop };
}

test('input of a terminal is dropped while the gate is shut, also within a message, and sizes pass', () => {
  const { gate, sent, send, stop } = createTerminal();
  send('0:6:abc');
  gate.shutFor('pause');
  send('def0:2:xy1:80:24:');
  gate.openFor('pause');
  send('0:2:ok');
  expect(sent()).toBe('0:3:abc1:80:24:0:2:ok');
  stop();
});

test('a paste that waits for a slow terminal is discarded when the gate shuts', () => {
  const { clock, gate, sent, send, stop } = createTerminal();
  send(`0:20000:${'x'.repeat(20_000)}`);
  const before = sent().length;
  gate.shutFor('pause');
  clock.advance(60_000);
  expect(sent()).toHaveLength(before);
  gate.openFor('pause');
  clock.advance(60_000);
  expect(sent()).toHaveLength(before);
  send('0:1:y');
  expect(sent().endsWith('0:1:y')).toBe(true);
  stop();
  expect(clock.pending()).toBe(0);
});
