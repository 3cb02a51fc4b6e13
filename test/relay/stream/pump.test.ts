import fc from 'fast-check';
import { PortholeError } from '@porthole/shared/errors';
import { startMemoryPump, textSentTo } from './memory-pump.ts';

describe('a pump', () => {
  test('forwards bytes in both directions, in order, and counts them', () => {
    const transfers = fc.array(fc.tuple(fc.boolean(), fc.string({ maxLength: 10 })));
    fc.assert(
      fc.property(transfers, (all) => {
        const { viewer, machine, counted, ends, stop } = startMemoryPump({
          limits: { pauseBytes: 1e9, resumeBytes: 1, stallTimeoutMs: 1 },
        });
        for (const [toViewer, text] of all) (toViewer ? machine : viewer).receive(text);
        const expected = (direction: boolean) =>
          all.flatMap(([toViewer, text]) => (toViewer === direction ? [text] : [])).join('');
        expect([textSentTo(viewer), textSentTo(machine)]).toEqual([expected(true), expected(false)]);
        // Bytes to the viewer are counted in steps; the last step at the end.
        stop();
        expect(counted).toEqual({
          to_viewer: Buffer.byteLength(expected(true)),
          to_machine: Buffer.byteLength(expected(false)),
        });
        expect(ends).toEqual([]);
      }),
    );
  });

  test('forwards the leftovers of the handshakes first', () => {
    const { viewer, machine } = startMemoryPump({
      viewerLeftover: 'from the viewer, ',
      machineLeftover: 'from the machine, ',
      beforeStart(links) {
        links.viewer.receive('and more');
        links.machine.receive('and more');
      },
    });
    expect(textSentTo(viewer)).toBe('from the machine, and more');
    expect(textSentTo(machine)).toBe('from the viewer, and more');
  });

  test('sends the machine only what the filter returns, and nothing if it returns nothing', () => {
    const { viewer, machine, counted } = startMemoryPump({
      filter: (chunk) => (chunk[0] === 0x6b ? [] : [chunk]),
    });
    viewer.receive('key');
    viewer.receive('update');
    expect(textSentTo(machine)).toBe('update');
    expect(machine.sent).toHaveLength(1);
    expect(counted.to_machine).toBe(6);
  });
});

describe('the end of a pump', () => {
  test('is reported once, with the side that left', () => {
    for (const side of ['viewer', 'machine'] as const) {
      const pump = startMemoryPump();
      pump[side].end();
      pump.machine.end();
      pump.viewer.end();
      expect(pump.ends).toEqual([{ side, error: undefined }]);
    }
  });

  test('is reported if a side had left before the pump started', () => {
    const { ends } = startMemoryPump({ beforeStart: ({ machine }) => machine.end() });
    expect(ends).toEqual([{ side: 'machine', error: undefined }]);
  });

  test('has the error of the filter, and the machine gets nothing after it', () => {
    let calls = 0;
    const { viewer, machine, ends, clock } = startMemoryPump({
      filter() {
        calls++;
        throw new PortholeError('viewer_protocol', { detail: `call ${calls}` });
      },
    });
    viewer.receive('x');
    viewer.receive('y');
    expect(ends).toMatchObject([{ side: 'viewer', error: { code: 'viewer_protocol', detail: 'call 1' } }]);
    expect(calls).toBe(1);
    expect(machine.sent).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  test('is an internal error if the filter throws another error', () => {
    const cause = new TypeError('broken');
    const { viewer, ends } = startMemoryPump({
      filter() {
        throw cause;
      },
    });
    viewer.receive('x');
    expect(ends).toMatchObject([{ side: 'viewer', error: { code: 'internal', cause } }]);
  });

  test('has the error of the filter in the leftover of the viewer’s handshake', () => {
    const { ends } = startMemoryPump({
      viewerLeftover: 'x',
      filter() {
        throw new PortholeError('viewer_message_too_big');
      },
    });
    expect(ends).toMatchObject([{ side: 'viewer', error: { code: 'viewer_message_too_big' } }]);
  });

  test('leaves no timer, even if both directions were stalled', () => {
    const { clock, viewer, machine } = startMemoryPump();
    machine.receive(Buffer.alloc(200));
    viewer.receive(Buffer.alloc(200));
    expect(clock.pending()).toBe(2);
    viewer.end();
    expect(clock.pending()).toBe(0);
  });

  test('stops the count and the forwarding of what the machine sends after it', () => {
    const { viewer, machine, counted, clock } = startMemoryPump();
    viewer.end();
    machine.receive(Buffer.alloc(1000));
    expect(viewer.sent).toEqual([]);
    expect(counted.to_viewer).toBe(0);
    expect(clock.pending()).toBe(0);
  });
});
