import fc from 'fast-check';
import { answerChallenge } from '@porthole/relay/rfb/vnc-authentication';
import { vncResponse } from '../../fakes/guests/vnc-des.ts';
import { loadNovnc } from './novnc.ts';

/** Encrypts a block with DES. VNC reverses the bits of each byte of its key, so the password has them reversed. */
function des(key: string, block: string): string {
  const reverseBits = (byte: number) =>
    Number.parseInt(byte.toString(2).padStart(8, '0').split('').toReversed().join(''), 2);
  const reversed = Buffer.from(Array.from(Buffer.from(key, 'hex'), reverseBits));
  const twice = Buffer.from(block + block, 'hex');
  const answer = answerChallenge(reversed.toString('latin1'), twice).toString('hex');
  expect(answer.slice(0, 16)).toBe(answer.slice(16)); // Each block is encrypted by itself.
  return answer.slice(0, 16);
}

describe('the response to a VNC Authentication challenge', () => {
  // Vectors of NIST SP 800-17 (variable plaintext, variable key), and common examples.
  test.each([
    ['0101010101010101', '8000000000000000', '95f8a5e5dd31d900'],
    ['0101010101010101', '0000000000000001', '166b40b44aba4bd6'],
    ['8001010101010101', '0000000000000000', '95a8d72813daa94d'],
    ['133457799bbcdff1', '0123456789abcdef', '85e813540f0ab405'],
    ['0e329232ea6d0d73', '8787878787878787', '0000000000000000'],
  ])('uses DES: key %s encrypts %s to %s', (key, block, expected) => {
    expect(des(key, block)).toBe(expected);
  });

  test('is the one that the simulated machine and noVNC compute', async () => {
    const challenge = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
    const answer = answerChallenge('password', challenge).toString('hex');
    expect(answer).toBe('b866924125c8eebb9debc1db61c538e2');
    expect(answer).toBe(vncResponse('password', challenge).toString('hex'));
    const { genDES } = await loadNovnc();
    expect(answer).toBe(Buffer.from(genDES('password', challenge)).toString('hex'));
  });

  test('is the one that the simulated machine expects, for any password of Proxmox', () => {
    // Since April 2026, eight characters of ASCII 33 to 96; before, the start of a ticket.
    const password = fc.stringMatching(/^[!-`]{1,12}$/);
    fc.assert(
      fc.property(password, fc.uint8Array({ minLength: 16, maxLength: 16 }), (text, bytes) => {
        const challenge = Buffer.from(bytes);
        expect(answerChallenge(text, challenge).equals(vncResponse(text, challenge))).toBe(true);
      }),
    );
  });

  test('depends only on the first eight characters of the password', () => {
    const challenge = Buffer.alloc(16, 5);
    expect(answerChallenge('12345678', challenge)).toEqual(answerChallenge('12345678 and more', challenge));
    expect(answerChallenge('1234567', challenge)).not.toEqual(answerChallenge('12345678', challenge));
    expect(answerChallenge('', challenge)).toHaveLength(16);
  });
});
