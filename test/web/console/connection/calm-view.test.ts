import { createCalmView } from '../../../../services/broker/web/src/console/connection/calm-view.ts';
import { initialState, viewOf } from '../../../../services/broker/web/src/console/connection/state.ts';
import type { View } from '../../../../services/broker/web/src/console/connection/view.ts';
import { createFakeClock } from '../../../fakes/clock.ts';

const base = viewOf(initialState);
const open: View = { ...base, state: 'open', mode: 'control' };
const connecting: View = { ...base, state: 'connecting', interruption: 'brief' };
const awaiting: View = { ...base, state: 'awaiting-frame', mode: 'control', interruption: 'brief' };
const lost: View = { ...base, state: 'connecting', interruption: 'lost' };

function start() {
  const clock = createFakeClock();
  const shown: View[] = [];
  return { clock, shown, show: createCalmView(clock, (view) => shown.push(view)) };
}

describe('the view of a console that moves', () => {
  test('stays that of the open console if the move is short: the toolbar does not appear and go again', () => {
    const { clock, shown, show } = start();
    show(open);
    show(connecting);
    clock.advance(500);
    show(awaiting);
    clock.advance(499);
    show({ ...open });
    expect(shown).toEqual([open, open]);
    expect(clock.pending()).toBe(0);
  });

  test('says that the page reconnects after a second', () => {
    const { clock, shown, show } = start();
    show(open);
    show(connecting);
    show(awaiting);
    clock.advance(1000);
    expect(shown).toEqual([open, awaiting]);
    show(connecting);
    expect(shown.at(-1)).toBe(connecting);
  });

  test.each<[string, View]>([
    ['a lost connection', lost],
    ['an end', { ...base, state: 'ended', message: { title: '', advice: '' }, offer: 'list' }],
  ])('shows %s at once, also during a move', (_, next) => {
    const { clock, shown, show } = start();
    show(open);
    show(next);
    show(open);
    show(connecting);
    show(next);
    expect(shown).toEqual([open, next, open, next]);
    expect(clock.pending()).toBe(0);
  });

  test('shows the first opening step by step', () => {
    const { shown, show } = start();
    const first: View = { ...base, state: 'connecting' };
    for (const view of [base, first, open]) show(view);
    expect(shown).toEqual([base, first, open]);
  });
});
