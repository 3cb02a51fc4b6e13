import { AnswerWatch } from '@porthole/relay/terminal/answer-watch';
import { createFakeClock } from '../../fakes/clock.ts';

function watch() {
  const clock = createFakeClock();
  const changes: boolean[] = [];
  const answers = new AnswerWatch({ clock, afterMs: 1000, onChange: (value) => changes.push(value) });
  return { clock, changes, answers, type: (text: string) => answers.sent(Buffer.from(text)) };
}

describe('the answers of a terminal', () => {
  test.each(['0:3:ls\r', '0:1:\n', '0:1:\x03'])('are missed after %j and a second of silence', (input) => {
    const { clock, changes, type } = watch();
    type(input);
    clock.advance(999);
    type('0:1:\r');
    expect(changes).toEqual([]);
    clock.advance(1);
    type('0:1:\r');
    clock.advance(5000);
    expect(changes).toEqual([false]);
  });

  test('are not expected to keys, because a password is not echoed', () => {
    const { clock, changes, type } = watch();
    type('0:6:secret');
    clock.advance(5000);
    expect(changes).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  test('are there as soon as it writes, and are watched anew', () => {
    const { clock, changes, answers, type } = watch();
    type('0:1:\r');
    clock.advance(1000);
    answers.received();
    answers.received();
    expect(changes).toEqual([false, true]);
    type('0:1:\r');
    answers.received();
    clock.advance(5000);
    expect(changes).toEqual([false, true]);
    type('0:1:\r');
    clock.advance(1000);
    expect(changes).toEqual([false, true, false]);
  });

  test('are not watched after the end', () => {
    const { clock, changes, answers, type } = watch();
    type('0:1:\r');
    answers.stop();
    clock.advance(5000);
    expect(changes).toEqual([]);
  });
});
