import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { useBrowser, useScene } from './scene.ts';

/** Every browser test requires that no fault was recorded, so these tests check that faults are recorded. */
describeWith('chromium')('the recorder of page faults', () => {
  const browser = useBrowser();
  const scene = useScene(browser, { separate: false });

  async function records(pattern: RegExp, cause: () => void): Promise<void> {
    const { student } = scene;
    await student.openConsole(100);
    expect(student.faults).toEqual([]);
    await student.page.evaluate(cause);
    await eventually('the fault is recorded', () => student.faults.some((fault) => pattern.test(fault)));
    student.faults.splice(0);
  }

  test('records a close code that is shown for a moment', () =>
    records(/A number is shown: .*1006/, () => {
      const text = document.createElement('p');
      text.textContent = 'Closed (1006).';
      document.getElementById('app')?.append(text);
      setTimeout(() => text.remove());
    }));

  test('records violations of the content security policy', () =>
    records(/Content Security Policy/, () => {
      const script = document.createElement('script');
      script.textContent = 'void 0';
      document.head.append(script);
    }));

  test('records requests to another host', () =>
    records(/^asked http:\/\/\[::1\]/, () => {
      setTimeout(() => location.assign('http://[::1]:9/'));
    }));

  test('records errors in scripts', () =>
    records(/^error: by mistake/, () => {
      setTimeout(() => {
        throw new Error('by mistake');
      });
    }));
});
