import fc from 'fast-check';
import { ClientMessageFilter } from '@porthole/relay/rfb/client-message-filter';
import { createScreenProtocol } from '@porthole/relay/rfb/screen-protocol';
import { InputGate } from '@porthole/relay/session/input-gate';
import { defaultDeadlines } from '@porthole/relay/upstream/deadlines';
import { createFakeClock } from '../../fakes/clock.ts';
import { aGrant } from '../rig.ts';
import { createMemoryLink } from '../stream/memory-link.ts';
import { u16, u32 } from './bytes.ts';
import { cutText } from './client-stream.ts';

const key = (keysym: number, down: boolean) => Buffer.concat([Buffer.of(4, down ? 1 : 0, 0, 0), u32(keysym)]);
const extendedKey = (keysym: number, keycode: number, down: boolean) =>
  Buffer.concat([Buffer.of(255, 0, 0, down ? 1 : 0), u32(keysym), u32(keycode)]);
const pointer = (buttons: number, x: number, y: number) =>
  Buffer.concat([Buffer.of(5, buttons), u16(x), u16(y)]);
const updateRequest = Buffer.of(3, 1, 0, 0, 0, 0, 0, 9, 0, 9);

/** A screen's console whose gate the test shuts and opens, and the machine that its input reaches. */
function createConsole() {
  const clock = createFakeClock();
  const gate = new InputGate();
  const received: Buffer[] = [];
  const protocol = createScreenProtocol({
    clock,
    claims: aGrant(clock),
    upstream: { link: createMemoryLink(), takeLeftover: () => Buffer.alloc(0) },
    send(message) {
      received.push(message);
      return true;
    },
    gate,
    onHumanInput() {},
    onPicture() {},
    onAnswering() {},
    deadlines: defaultDeadlines,
  });
  gate.onShut(protocol.withdrawInput);
  return {
    gate,
    send: (bytes: Buffer) => void received.push(...protocol.filter.push(bytes)),
    /** What the machine got since the last call. */
    take: () => Buffer.concat(received.splice(0)),
  };
}

test('no key stays down and no button stays pressed when the gate shuts', () => {
  const { gate, send, take } = createConsole();
  send(Buffer.concat([key(0xffe1, true), key(0x61, true), key(0x61, false), extendedKey(0x62, 48, true)]));
  send(pointer(1, 30, 40));
  take();
  gate.shutFor('a reason');
  expect(take()).toEqual(
    Buffer.concat([key(0xffe1, false), extendedKey(0x62, 48, false), pointer(0, 30, 40)]),
  );
});

test('keys are released once, whatever the number of reasons', () => {
  const { gate, send, take } = createConsole();
  send(key(0x61, true));
  take();
  gate.shutFor('one');
  expect(take()).toHaveLength(8);
  gate.shutFor('another');
  gate.openFor('one');
  expect(gate.shut).toBe(true);
  send(key(0x62, true));
  expect(take()).toHaveLength(0);
  gate.openFor('another');
  send(key(0x62, true));
  expect(take()).toEqual(key(0x62, true));
});

test('a key that is released while the gate is shut is not pressed afterwards', () => {
  const { gate, send, take } = createConsole();
  send(key(0x61, true));
  gate.shutFor('a reason');
  send(key(0x61, false));
  gate.openFor('a reason');
  take();
  gate.shutFor('a reason');
  expect(take()).toHaveLength(0);
});

test('a text that is being pasted arrives whole, and the keys are released behind it', () => {
  const { gate, send, take } = createConsole();
  const paste = cutText(20, Buffer.from('a text in two frames')).bytes;
  send(Buffer.concat([key(0x61, true), paste.subarray(0, 12)]));
  gate.shutFor('a reason');
  send(Buffer.concat([paste.subarray(12), key(0x62, true)]));
  expect(take()).toEqual(Buffer.concat([key(0x61, true), paste, key(0x61, false)]));
});

test('requests for pictures pass while the gate is shut', () => {
  const { gate, send, take } = createConsole();
  gate.shutFor('a reason');
  send(Buffer.concat([updateRequest, cutText(1, Buffer.from('x')).bytes, pointer(0, 1, 1), updateRequest]));
  expect(take()).toEqual(Buffer.concat([updateRequest, updateRequest]));
});

/** The keys and buttons that are down in a machine that got these messages, and how many messages were input. */
function replay(bytes: Buffer, down: Set<string>) {
  const messages: Buffer[] = [];
  // Its messages come out whole.
  const reader = new ClientMessageFilter({ viewOnly: false, onHumanInput() {} });
  reader.push(bytes, messages);
  let inputs = 0;
  for (const message of messages) {
    const [type] = message;
    if (type === 4) change(`key ${message.readUInt32BE(4)}`, message[1] === 1);
    else if (type === 255) change(`code ${message.readUInt32BE(8)}`, message[3] === 1);
    else if (type === 5) change('buttons', message[1] !== 0);
  }
  function change(what: string, isDown: boolean) {
    if (isDown) inputs += 1;
    if (isDown) down.add(what);
    else down.delete(what);
  }
  return inputs;
}

test('however a viewer types while the gate shuts and opens, nothing is pressed while it is shut, and no key stays down', () => {
  const keysym = fc.integer({ min: 0x61, max: 0x68 });
  const input = fc.oneof(
    fc.tuple(keysym, fc.boolean()).map(([sym, down]) => key(sym, down)),
    fc.tuple(keysym, fc.boolean()).map(([sym, down]) => extendedKey(sym, sym - 0x50, down)),
    fc.integer({ min: 0, max: 7 }).map((buttons) => pointer(buttons, 5, 6)),
    fc.constant(updateRequest),
    fc.constant(cutText(4, Buffer.from('text')).bytes),
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: input },
    { weight: 1, arbitrary: fc.constant('shut' as const) },
    { weight: 1, arbitrary: fc.constant('open' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { gate, send, take } = createConsole();
      const down = new Set<string>();
      for (const each of steps) {
        if (each === 'open') gate.openFor('pause');
        else if (each === 'shut') gate.shutFor('pause');
        else send(each);
        const pressed = replay(take(), down);
        if (!gate.shut) continue;
        expect(pressed).toBe(0);
        expect([...down]).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});
