import type { Store } from '@porthole/shared/store/ports';
import { type StoreContract } from './contract.ts';

/** Messages to all clients. */
export function describeSignals({ clients, advanceUntil }: StoreContract): void {
  let store: Store;
  let other: Store;
  beforeAll(() => {
    ({ store, other } = clients());
  });

  describe('signals', () => {
    test('a signal reaches all subscribers of all clients, including the sender', async () => {
      const heard: string[] = [];
      const leave = [
        store.signals.subscribe((message) => heard.push(`store 1 ${message}`)),
        store.signals.subscribe((message) => heard.push(`store 2 ${message}`)),
        other.signals.subscribe((message) => heard.push(`other ${message}`)),
      ];
      await other.signals.publish('{"end":"é"}');
      await advanceUntil(async () => heard.length, 3);
      expect(heard.sort()).toEqual(['other {"end":"é"}', 'store 1 {"end":"é"}', 'store 2 {"end":"é"}']);
      for (const unsubscribe of leave) unsubscribe();
    });

    test('signals of one sender arrive in order', async () => {
      const heard: string[] = [];
      const unsubscribe = other.signals.subscribe((message) => heard.push(message));
      for (const message of ['1', '2', '3']) await store.signals.publish(message);
      await advanceUntil(async () => heard.join(), '1,2,3');
      unsubscribe();
    });

    test('an unsubscribed listener gets no further signals, and unsubscribing twice is harmless', async () => {
      const [gone, here]: [string[], string[]] = [[], []];
      const leave = store.signals.subscribe((message) => gone.push(message));
      const stay = store.signals.subscribe((message) => here.push(message));
      leave();
      leave();
      await other.signals.publish('still there?');
      // Signals of the previous test may still arrive.
      await advanceUntil(async () => here.includes('still there?'), true);
      expect(gone).toEqual([]);
      stay();
    });

    test('a listener that throws does not keep the signal from others', async () => {
      const heard: string[] = [];
      const leave = [
        store.signals.subscribe(() => {
          throw new Error('not me');
        }),
        store.signals.subscribe((message) => heard.push(message)),
      ];
      await store.signals.publish('all');
      await advanceUntil(async () => heard.join(), 'all');
      for (const unsubscribe of leave) unsubscribe();
    });
  });
}
