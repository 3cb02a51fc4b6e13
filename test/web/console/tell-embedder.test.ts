import {
  createEmbedderNotifier,
  type EmbedderMessage,
} from '../../../services/broker/web/src/console/tell-embedder.ts';

function notifier() {
  const told: EmbedderMessage[] = [];
  const tell = createEmbedderNotifier((message) => void told.push(message));
  return { told, tell };
}

describe('the page that embeds a console', () => {
  test('is told once that the console is open, and again when it is back', () => {
    const { told, tell } = notifier();
    for (const state of ['requesting', 'opening', 'open', 'open'] as const)
      tell({ state, closeCode: undefined });
    expect(told).toEqual([{ porthole: 'open' }]);
    tell({ state: 'connecting', closeCode: 1012 });
    tell({ state: 'open', closeCode: 1012 });
    expect(told).toEqual([{ porthole: 'open' }, { porthole: 'open' }]);
  });

  test.each([
    [1000, 'ended'],
    [4408, 'ended'],
    [4410, 'ended'],
    [4423, 'ended'],
    [4403, 'error'],
    [4502, 'error'],
  ])('is told of close code %p as %p', (closeCode, porthole) => {
    const { told, tell } = notifier();
    tell({ state: 'ended', closeCode });
    tell({ state: 'ended', closeCode });
    expect(told).toEqual([{ porthole, code: String(closeCode) }]);
  });

  test('is told of a refused request as an error', () => {
    const { told, tell } = notifier();
    tell({ state: 'ended', closeCode: undefined });
    expect(told).toEqual([{ porthole: 'error' }]);
  });
});
