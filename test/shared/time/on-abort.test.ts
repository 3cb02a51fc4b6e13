import { getEventListeners } from 'node:events';
import { linkSignal } from '@porthole/shared/time/link-signal';
import { onAbort } from '@porthole/shared/time/on-abort';

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

describe('onAbort', () => {
  test('calls the listener once, with the reason, and removes it', () => {
    const controller = new AbortController();
    const reasons: unknown[] = [];
    const remove = onAbort(controller.signal, (reason) => reasons.push(reason));
    expect(reasons).toEqual([]);
    controller.abort('enough');
    controller.abort('again');
    expect(reasons).toEqual(['enough']);
    expect(listenersOf(controller.signal)).toBe(0);
    remove();
    expect(reasons).toEqual(['enough']);
  });

  test('calls the listener at once when the signal is aborted already', () => {
    const reasons: unknown[] = [];
    const remove = onAbort(AbortSignal.abort('before'), (reason) => reasons.push(reason));
    expect(reasons).toEqual(['before']);
    remove();
  });

  test('does not call a listener that was removed, and removing twice is harmless', () => {
    const controller = new AbortController();
    const reasons: unknown[] = [];
    const remove = onAbort(controller.signal, (reason) => reasons.push(reason));
    onAbort(controller.signal, (reason) => reasons.push(`other ${String(reason)}`));
    remove();
    remove();
    expect(listenersOf(controller.signal)).toBe(1);
    controller.abort('enough');
    expect(reasons).toEqual(['other enough']);
  });

  test('adds the same function once for each call', () => {
    const controller = new AbortController();
    let calls = 0;
    const listener = () => void calls++;
    const removeOne = onAbort(controller.signal, listener);
    onAbort(controller.signal, listener);
    removeOne();
    controller.abort();
    expect(calls).toBe(1);
  });

  test('does nothing without a signal', () => {
    onAbort(undefined, () => {
      throw new Error('It was called.');
    })();
  });
});

describe('a linked signal', () => {
  test('is aborted with its parent, for the same reason', () => {
    const parent = new AbortController();
    const { signal } = linkSignal(parent.signal);
    parent.abort('enough');
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe('enough');
    expect(linkSignal(parent.signal).signal.reason).toBe('enough');
  });

  test('is aborted by itself without its parent', () => {
    const parent = new AbortController();
    const { signal, abort } = linkSignal(parent.signal);
    abort(new Error('mine'));
    expect(signal.reason).toEqual(new Error('mine'));
    expect(parent.signal.aborted).toBe(false);
  });

  test('holds no listener at its parent when it is unlinked', () => {
    const parent = new AbortController();
    const { signal, unlink } = linkSignal(parent.signal);
    expect(listenersOf(parent.signal)).toBe(1);
    unlink();
    unlink();
    expect(listenersOf(parent.signal)).toBe(0);
    parent.abort();
    expect(signal.aborted).toBe(false);
  });
});
