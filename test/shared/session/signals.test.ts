import fc from 'fast-check';
import {
  createConsoleSignals,
  type ConsoleSignal,
  type TerminationSignal,
} from '@porthole/shared/session/signals';
import { systemRandom } from '@porthole/shared/crypto/random';
import { seal } from '@porthole/shared/crypto/seal';
import { storeKeys } from '@porthole/shared/store/keys';
import { createMemoryStore } from '@porthole/shared/store/memory/store';
import type { SignalBus } from '@porthole/shared/store/ports';
import { createFakeClock } from '../../fakes/clock.ts';

const key = 'k'.repeat(40);
const order: TerminationSignal = {
  type: 'terminate',
  target: { kind: 'user', ref: 'anna' },
  cause: 'signed_out',
  at: Date.UTC(2026, 0, 1),
};

/** Two pods on one synchronous bus: an exception of a listener reaches the sender. */
function twoPods(keys: { sender?: string; receiver?: string } = {}) {
  const listeners = new Set<(message: string) => void>();
  const sent: string[] = [];
  const bus: SignalBus = {
    async publish(message) {
      sent.push(message);
      for (const listener of listeners) listener(message);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const clock = createFakeClock();
  const common = { bus, random: systemRandom, clock };
  const sender = createConsoleSignals({ ...common, keys: () => [keys.sender ?? key] });
  const receiver = createConsoleSignals({ ...common, keys: () => [keys.receiver ?? key] });
  const heard: ConsoleSignal[] = [];
  const unsubscribe = receiver.subscribe((signal) => heard.push(signal));
  return { bus, clock, sender, heard, sent, unsubscribe };
}

/** The plain text of a signal that was sent when the clocks of these tests begin. */
const envelope = (signal: unknown) => JSON.stringify({ sentAt: Date.UTC(2026, 0, 1), signal });

/** A message that is sealed with the right key. */
function sealedMessage(plain: string): string {
  const token = systemRandom(16);
  const context = { token, purpose: 'porthole signal v1', storeKey: storeKeys.signals };
  return `${token.toString('base64url')}.${seal(() => [key], systemRandom, context, plain)}`;
}

describe('a signal', () => {
  test('reaches all pods', async () => {
    const { sender, heard } = twoPods();
    await sender.publish(order);
    expect(heard).toEqual([order]);
  });

  test('is delivered by the store in memory', async () => {
    const clock = createFakeClock();
    const { signals: bus } = createMemoryStore({ clock });
    const signals = createConsoleSignals({ bus, keys: () => [key], random: systemRandom, clock });
    const heard: ConsoleSignal[] = [];
    signals.subscribe((signal) => heard.push(signal));
    await signals.publish(order);
    expect(heard).toEqual([order]);
  });

  test('is not delivered after unsubscribing', async () => {
    const { sender, heard, unsubscribe } = twoPods();
    unsubscribe();
    await sender.publish(order);
    expect(heard).toEqual([]);
  });

  test('reveals nothing on the bus', async () => {
    const { sender, sent } = twoPods();
    await sender.publish(order);
    const [nonce, sealed] = (sent[0] ?? '').split('.');
    for (const part of [nonce, sealed]) {
      expect(part).not.toContain('anna');
      expect(Buffer.from(part ?? '', 'base64url').toString('latin1')).not.toContain('anna');
    }
  });

  test('is dropped without the key', async () => {
    const { sender, heard } = twoPods({ sender: 'f'.repeat(40) });
    await sender.publish(order);
    expect(heard).toEqual([]);
  });

  test('is dropped if it was altered', async () => {
    const { sender, bus, heard, sent } = twoPods();
    await sender.publish(order);
    heard.length = 0;
    const [nonce = '', sealed = ''] = (sent[0] ?? '').split('.');
    const flip = (text: string, at: number) => {
      const bytes = Buffer.from(text, 'base64url');
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes.toString('base64url');
    };
    await bus.publish(`${flip(nonce, 0)}.${sealed}`);
    for (let at = 0; at < Buffer.from(sealed, 'base64url').length; at++)
      await bus.publish(`${nonce}.${flip(sealed, at)}`);
    expect(heard).toEqual([]);
  });

  test('is delivered among garbage, which is dropped', async () => {
    const { sender, bus, heard } = twoPods();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.constantFrom('', '.', '..', 'a.', '.b', 'a.b.c')),
        (garbage) => bus.publish(garbage),
      ),
    );
    expect(heard).toEqual([]);
    await sender.publish(order);
    expect(heard).toEqual([order]);
  });

  test('that is correctly sealed but is not JSON, or not a signal, is dropped', async () => {
    const { bus, heard } = twoPods();
    const strange = [
      'no JSON',
      '',
      'null',
      '[]',
      JSON.stringify(order),
      JSON.stringify({ signal: order }),
      envelope({ ...order, type: 'begin' }),
      envelope({ ...order, cause: 'whim' }),
      envelope({ ...order, at: undefined }),
      envelope({ ...order, target: { kind: 'world', ref: 'x' } }),
      envelope({ ...order, target: { kind: 'user', ref: '' } }),
    ];
    for (const plain of strange) await bus.publish(sealedMessage(plain));
    expect(heard).toEqual([]);
  });

  test('of a newer pod is delivered without its unknown fields', async () => {
    const { bus, heard } = twoPods();
    await bus.publish(sealedMessage(envelope({ ...order, reason: 'exam is over' })));
    expect(heard).toEqual([order]);
  });

  describe('that is replayed', () => {
    const taken: ConsoleSignal = { type: 'superseded', sessionId: 'session-1', generation: 1 };

    test('is not delivered again, however it is encoded', async () => {
      const { bus, sender, heard, sent } = twoPods();
      await sender.publish(order);
      await sender.publish(taken);
      const recorded = [...sent];
      for (const message of recorded) {
        const [nonce = '', sealed = ''] = message.split('.');
        await bus.publish(message);
        await bus.publish(`${nonce}==.${sealed}`);
        await bus.publish(`${nonce.replaceAll('-', '+').replaceAll('_', '/')}.${sealed}.more`);
      }
      expect(heard).toEqual([order, taken]);
    });

    test('is not delivered later to a pod that missed it', async () => {
      const { bus, clock, sender, heard, sent, unsubscribe } = twoPods();
      unsubscribe();
      await sender.publish(taken);
      const late = createConsoleSignals({ bus, keys: () => [key], random: systemRandom, clock });
      late.subscribe((signal) => heard.push(signal));
      clock.advance(60_001);
      await bus.publish(sent[0] ?? '');
      expect(heard).toEqual([]);
    });

    test('or that comes from a pod with a wrong clock is dropped, because pods read the state from the store', async () => {
      const { bus, heard } = twoPods();
      const early = JSON.stringify({ sentAt: Date.UTC(2026, 0, 1, 0, 1, 1), signal: order });
      await bus.publish(sealedMessage(early));
      expect(heard).toEqual([]);
    });
  });

  test('is delivered if clocks differ by some seconds', async () => {
    const { bus, heard } = twoPods();
    for (const second of [0, 45])
      await bus.publish(
        sealedMessage(JSON.stringify({ sentAt: Date.UTC(2026, 0, 1, 0, 0, second), signal: order })),
      );
    expect(heard).toEqual([order, order]);
  });
});
