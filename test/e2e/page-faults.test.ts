import { eventually } from '../eventually.ts';
import { describeWith } from '../needs.ts';
import { useBrowser, useScene } from './scene.ts';

/** All these tests expect that nobody complains. So whoever has to complain must be able to. */
describeWith('chromium')('what watches over the pages in all these tests', () => {
  const browser = useBrowser();
  const scene = useScene(browser, { apart: false });

  async function sees(pattern: RegExp, misdeed: () => void): Promise<void> {
    const { student } = scene;
    await student.openConsole(100);
    expect(student.faults).toEqual([]);
    await student.page.evaluate(misdeed);
    await eventually('it is seen', () => student.faults.some((fault) => pattern.test(fault)));
    student.faults.splice(0);
  }

  test('sees the number of a broken connection, shown for a moment', () =>
    sees(/A number is shown: .*1006/, () => {
      const text = document.createElement('p');
      text.textContent = 'Closed (1006).';
      document.getElementById('app')?.append(text);
      setTimeout(() => text.remove());
    }));

  test('sees what the content security policy forbids', () =>
    sees(/Content Security Policy/, () => {
      const script = document.createElement('script');
      script.textContent = 'void 0';
      document.head.append(script);
    }));

  test('sees that a page leads to another host', () =>
    sees(/^asked http:\/\/\[::1\]/, () => {
      setTimeout(() => location.assign('http://[::1]:9/'));
    }));

  test('sees a fault in a script', () =>
    sees(/^error: by mistake/, () => {
      setTimeout(() => {
        throw new Error('by mistake');
      });
    }));
});
