import { createTermproxyHandshake, loginLine } from '@porthole/relay/terminal/termproxy-handshake';
import { byteByByte } from '../chunks.ts';

test('the login is one line with the ticket’s user and the ticket', () => {
  expect(loginLine('gw@pve!console', 'PVEVNC:65::a+b=').toString()).toBe('gw@pve!console:PVEVNC:65::a+b=\n');
});

test.each([['OK'], ['OKroot@ct:~# '], ['OKOK']])(
  'the answer %j opens the terminal, and what follows OK is its output',
  (text) => {
    for (const chunks of [[Buffer.from(text)], byteByByte(Buffer.from(text))]) {
      const handshake = createTermproxyHandshake();
      let later = '';
      let done = false;
      for (const chunk of chunks) {
        if (done) later += chunk.toString();
        else ({ done } = handshake.push(chunk));
      }
      expect(done).toBe(true);
      expect(handshake.leftover().toString() + later).toBe(text.slice(2));
    }
  },
);

test('any other answer is refused', () => {
  expect(() => createTermproxyHandshake().push(Buffer.from('RFB 003.008\n'))).toThrow(
    expect.objectContaining({ code: 'proxmox_invalid_response' }),
  );
  expect(createTermproxyHandshake().push(Buffer.from('O')).done).toBe(false);
});
