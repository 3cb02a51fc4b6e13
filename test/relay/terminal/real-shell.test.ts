import { eventually } from '../../eventually.ts';
import { createRealShell } from '../../fakes/guests/real-shell.ts';
import { describeWith } from '../../needs.ts';
import { container, output, send, typeText, useTerminalRigs, waitForOutput } from './terminal-rig.ts';

describeWith('bash')('a terminal with a real shell', () => {
  const start = useTerminalRigs();

  test('runs programs that use the size and control keys', async () => {
    const rig = await start({
      proxmox: { guests: [{ vmid: 200, node: 'pve1', type: 'lxc', name: 'box', shell: createRealShell }] },
    });
    const client = await rig.open(container);
    // One command after the other: input while a program runs is echoed twice, or discarded by Ctrl-C.
    const isReady = () => output(client).endsWith('real$ ');
    const run = async (line: string, result: string) => {
      await eventually('the prompt is there', isReady);
      const before = output(client).length;
      typeText(client, `${line}\r`);
      await eventually(`${line} has run`, () => output(client).length > before + line.length && isReady());
      return output(client).slice(before).includes(result);
    };
    expect(await run('printf "%s-%s\\n" grün "$((6*7))"', 'grün-42\r\n')).toBe(true);
    send(client, '1:101:33:');
    await eventually('the size has arrived', () => run('stty size', '33 101\r\n'));
    typeText(client, 'cat\r');
    await waitForOutput(client, 'cat\r\n\x1b[?2004l\r');
    typeText(client, 'twice\r');
    await waitForOutput(client, 'twice\r\ntwice\r\n');
    typeText(client, '\x03');
    expect(await run('echo $((1000+337))', '1337\r\n')).toBe(true);
    typeText(client, 'exit\r');
    expect((await client.closed).code).toBe(1000);
  });
});
