import { eventually } from '../../../eventually.ts';
import { describeWith } from '../../../needs.ts';
import { useConsole } from '../use-console.ts';

describeWith('chromium')('a console whose machine another user can control', () => {
  const fixture = useConsole();

  const send = (message: object) => fixture.newest().sendControl(message);
  const bar = () => fixture.page.locator('.control-bar');
  const type = (text: string) => fixture.page.keyboard.type(text);

  test('says who has control, sends nothing meanwhile, and goes on without a click', async () => {
    await fixture.open();
    await fixture.page.locator('#screen canvas').focus();
    await type('a');
    await eventually('a key arrives', () => fixture.keysDown().length === 1);
    send({ type: 'controlled', mine: false, by: 'Ina', ask: true });
    await fixture.hasHeading('Ina has control.');
    await type('bcd');
    await fixture.page.mouse.click(300, 300);
    send({ type: 'uncontrolled' });
    await bar().waitFor({ state: 'detached' });
    await type('e');
    await eventually('the next key arrives', () => fixture.keysDown().length === 2);
  });

  test('asks for control at a click, once until another user has it', async () => {
    await fixture.open();
    send({ type: 'controlled', mine: false, by: 'Ina', ask: true });
    await fixture.page.getByRole('button', { name: 'Ask for it back' }).click();
    await fixture.page.getByText('You have asked Ina for control.').waitFor();
    expect(await bar().getByRole('button').count()).toBe(0);
    expect(fixture.newest().texts.filter((text) => text.includes('ask_control'))).toHaveLength(1);
    send({ type: 'controlled', mine: false, by: 'Olga', ask: true });
    await fixture.page.getByRole('button', { name: 'Ask for it back' }).waitFor();
  });

  test('reaches the question by keyboard', async () => {
    await fixture.open();
    send({ type: 'controlled', mine: false, ask: true });
    await fixture.hasHeading('Another user has control.');
    for (const key of ['Control', 'Alt', 'Shift']) await fixture.page.keyboard.down(key);
    for (const key of ['Shift', 'Alt', 'Control']) await fixture.page.keyboard.up(key);
    await bar().locator('button:focus').waitFor();
    await fixture.page.keyboard.press('Enter');
    await fixture.page.getByText('You have asked for control.').waitFor();
  });

  test('another window of the holder says that control is there, and can hand it back', async () => {
    await fixture.open();
    send({ type: 'controlled', mine: false, by: 'Ina', elsewhere: true });
    await fixture.hasHeading('You have control in another window.');
    const request = fixture.page.waitForRequest((each) => each.url().endsWith('/control'));
    await fixture.page.getByRole('button', { name: 'Hand back' }).click();
    expect((await request).postDataJSON()).toEqual({ action: 'release' });
  });

  test('offers no question to users who may not ask', async () => {
    await fixture.open();
    send({ type: 'controlled', mine: false, by: 'Ina' });
    await fixture.hasHeading('Ina has control.');
    expect(await bar().getByRole('button').count()).toBe(0);
  });

  test('tells the holder who asks, and is still usable', async () => {
    await fixture.open();
    send({ type: 'control_asked', by: 'Eve' });
    send({ type: 'controlled', mine: true, by: 'Ina' });
    await fixture.hasHeading('You have control.');
    send({ type: 'control_asked', by: 'Ada' });
    await fixture.page.getByText('Ada asks for it back.').waitFor();
    expect(await fixture.page.getByText('Eve asks').count()).toBe(0);
    await fixture.page.locator('#screen canvas').focus();
    await type('a');
    await eventually('a key arrives', () => fixture.keysDown().length === 1);
    await fixture.page.getByRole('button', { name: 'Hand back' }).waitFor();
  });
});
