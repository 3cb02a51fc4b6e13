import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constantSecret } from '@porthole/shared/config/secret';
import type { Page } from 'playwright-core';
import { eventually } from '../eventually.ts';
import type { Picture } from '../fakes/guests/ppm.ts';
import { describeWith } from '../needs.ts';
import { takePicture } from '../take-picture.ts';
import { accessibilityFaults } from '../web/axe.ts';
import { likeness, withoutFourth } from './pictures.ts';
import { useBrowser, useScene } from './scene.ts';

/** From a student's console to the player: what the relay stores is what the page plays. */
describeWith('chromium')('a recorded console', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'porthole-recordings-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const record = { mode: 'required', consent: true } as const;
  const scene = useScene(useBrowser(), {
    rules: {
      access: [
        { who: { everyone: true }, which: { names: ['{user}-*'] }, allow: ['control', 'terminal'], record },
        { who: { groups: ['instructors'] }, which: { all: true }, allow: ['recordings'] },
      ],
    },
    moreMachines: [{ vmid: 200, node: 'pve2', type: 'lxc', name: 'student-box' }],
    settings: () => ({
      recordings: {
        encryptionKeys: constantSecret('the key that seals the recordings of this test'),
        storage: { directory },
        spool: { flushSeconds: 1 },
      },
    }),
  });

  async function agree(page: Page): Promise<void> {
    await page.getByRole('heading', { name: 'This console is recorded.' }).waitFor();
    await takePicture({ page }, 'recording-consent');
    await page.getByRole('button', { name: 'Agree and open' }).click();
  }
  const played = async (page: Page): Promise<Picture> => {
    const { pixels, ...size } = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.player-target canvas');
      const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      let text = '';
      for (let at = 0; at < data.length; at += 8192)
        text += String.fromCharCode(...data.slice(at, at + 8192));
      return { width: canvas?.width ?? 0, height: canvas?.height ?? 0, pixels: btoa(text) };
    });
    return withoutFourth({ ...size, data: Buffer.from(pixels, 'base64') });
  };

  test('is opened after consent, says that it is recorded, and is played to who may see it', async () => {
    const { student } = scene;
    await student.visitConsole(100);
    await agree(student.page);
    await student.waitForState('open');
    await student.page.getByText('This console is recorded', { exact: true }).first().waitFor();
    expect(await accessibilityFaults(student.page)).toEqual([]);
    await student.type('ls');
    await eventually('the keys arrive', () => scene.one.keys().endsWith('ls'));
    await takePicture(student, 'recording-student');
    const seen = await student.picture();
    await student.page.goto(`${scene.stack.origin}/console/lab/200?kind=terminal`);
    await agree(student.page);
    await student.waitForState('open');
    await student.page.keyboard.type('echo gr\u00fcn\n');
    await student.page.locator('#screen .xterm-rows').getByText('gr\u00fcn', { exact: true }).waitFor();
    await student.page.goto(scene.stack.origin);

    const instructor = await scene.signInAs('instructor');
    await instructor.visitMachines();
    const { page } = instructor;
    await page.getByRole('link', { name: 'Recordings' }).click();
    const open = (machine: string) =>
      page.getByRole('link', { name: `Open the recording of Sam Student on ${machine}` });
    await eventually('both recordings are complete', async () => {
      await page.reload();
      await open('student-box').waitFor({ timeout: 5000 });
      const rows = await page.locator('[data-recording]').allInnerTexts();
      return rows.length === 2 && !/in progress|no end/.test(rows.join());
    });
    await takePicture({ page }, 'recordings-of-a-student');
    await open('student-one').click();
    await eventually('the player shows at its end what the student saw last', async () => {
      await page.getByRole('slider', { name: 'Time' }).press('End');
      expect(likeness(await played(page), seen)).toBeGreaterThan(0.98);
    });
    await takePicture({ page }, 'recording-played');
    await page.goBack();
    await open('student-box').click();
    await eventually('the player shows what the terminal has shown', async () => {
      await page.getByRole('slider', { name: 'Time' }).press('End');
      const rows = await page.locator('.player-target .xterm-rows > div').allInnerTexts();
      return rows.some((row) => row.trim() === 'gr\u00fcn');
    });
  });
});
