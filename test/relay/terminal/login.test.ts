import { createTerminalLogin, loginLine } from '@porthole/relay/terminal/login';
import { byteByByte } from '../rfb/cuts.ts';

test('the login is one line: whose ticket, and the ticket', () => {
  expect(loginLine('gw@pve!console', 'PVEVNC:65::a+b=').toString()).toBe('gw@pve!console:PVEVNC:65::a+b=\n');
});

test.each([['OK'], ['OKroot@ct:~# '], ['OKOK']])(
  '%j opens the terminal, and what is behind OK is output',
  (text) => {
    for (const chunks of [[Buffer.from(text)], byteByByte(Buffer.from(text))]) {
      const login = createTerminalLogin();
      let rest = '';
      let done = false;
      for (const chunk of chunks) {
        if (done) rest += chunk.toString();
        else ({ done } = login.push(chunk));
      }
      expect(done).toBe(true);
      expect(login.leftover().toString() + rest).toBe(text.slice(2));
    }
  },
);

test('anything else is not a termproxy', () => {
  expect(() => createTerminalLogin().push(Buffer.from('RFB 003.008\n'))).toThrow(
    expect.objectContaining({ code: 'proxmox_invalid_response' }),
  );
  expect(createTerminalLogin().push(Buffer.from('O')).done).toBe(false);
});
