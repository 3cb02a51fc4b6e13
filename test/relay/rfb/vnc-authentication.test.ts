import fc from 'fast-check';
import { answerChallenge } from '@porthole/relay/rfb/vnc-authentication';
import { vncResponse } from '../../fakes/guests/vnc-des.ts';
import { loadNovnc } from './novnc.ts';

/** What DES itself makes of a block, by way of a VNC password: whose bits are the key's, mirrored byte by byte. */
function des(key: string, block: string): string {
  const mirror = (byte: number) =>
    Number.parseInt(byte.toString(2).padStart(8, '0').split('').toReversed().join(''), 2);
  const mirrored = Buffer.from(Array.from(Buffer.from(key, 'hex'), mirror));
  const twice = Buffer.from(block + block, 'hex');
  const answer = answerChallenge(mirrored.toString('latin1'), twice).toString('hex');
  expect(answer.slice(0, 16)).toBe(answer.slice(16)); // each half by itself
  return answer.slice(0, 16);
}

describe('the answer to a VNC challenge', () => {
  // From NIST SP 800-17, variable plaintext and variable key tests, and from the literature on DES.
  test.each([
    ['0101010101010101', '8000000000000000', '95f8a5e5dd31d900'],
    ['0101010101010101', '0000000000000001', '166b40b44aba4bd6'],
    ['8001010101010101', '0000000000000000', '95a8d72813daa94d'],
    ['133457799bbcdff1', '0123456789abcdef', '85e813540f0ab405'],
    ['0e329232ea6d0d73', '8787878787878787', '0000000000000000'],
  ])('is DES: key %s makes %s into %s', (key, block, expected) => {
    expect(des(key, block)).toBe(expected);
  });

  test('to 00, 01, … 0f with "password" is what a server makes of it, and what noVNC would answer', async () => {
    const challenge = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
    const answer = answerChallenge('password', challenge).toString('hex');
    expect(answer).toBe('b866924125c8eebb9debc1db61c538e2');
    expect(answer).toBe(vncResponse('password', challenge).toString('hex'));
    const { genDES } = await loadNovnc();
    expect(answer).toBe(Buffer.from(genDES('password', challenge)).toString('hex'));
  });

  test('is the one that the simulated machine expects, for whatever Proxmox uses as a password', () => {
    // Eight characters of ASCII 33 to 96 since April 2026, before that the beginning of a ticket.
    const password = fc.stringMatching(/^[!-`]{1,12}$/);
    fc.assert(
      fc.property(password, fc.uint8Array({ minLength: 16, maxLength: 16 }), (text, bytes) => {
        const challenge = Buffer.from(bytes);
        expect(answerChallenge(text, challenge).equals(vncResponse(text, challenge))).toBe(true);
      }),
    );
  });

  test('depends on the first eight characters alone', () => {
    const challenge = Buffer.alloc(16, 5);
    expect(answerChallenge('12345678', challenge)).toEqual(answerChallenge('12345678 and more', challenge));
    expect(answerChallenge('1234567', challenge)).not.toEqual(answerChallenge('12345678', challenge));
    expect(answerChallenge('', challenge)).toHaveLength(16);
  });
});
