import fc from 'fast-check';
import { clientAddress } from '@porthole/shared/http/client-address';

function addressOf(
  forwarded: string | string[] | undefined,
  trustedProxies: number,
  remoteAddress: string | undefined = '10.0.0.1',
): string {
  const request = { headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress } };
  return clientAddress(request as unknown as Parameters<typeof clientAddress>[0], trustedProxies);
}

const anIp = fc.ipV4();

describe("a client's address", () => {
  test('is the peer when no proxy is trusted, whatever the header says', () => {
    fc.assert(
      fc.property(fc.string(), (claimed) => {
        expect(addressOf(claimed, 0)).toBe('10.0.0.1');
      }),
    );
  });

  test('is the one that the outermost trusted proxy saw, whatever the entries further left', () => {
    fc.assert(
      fc.property(fc.string(), anIp, fc.array(anIp, { maxLength: 3 }), (made_up, person, proxies) => {
        const header = [made_up, person, ...proxies].join(', ');
        expect(addressOf(header, proxies.length + 1)).toBe(person);
      }),
    );
  });

  test('cannot be forged by a client that sends the header', () => {
    // The proxy appends the address that it saw to the client's header.
    expect(addressOf('1.1.1.1, 192.0.2.7', 1)).toBe('192.0.2.7');
    expect(addressOf('1.1.1.1, 2.2.2.2, 192.0.2.7, 10.1.1.1', 2)).toBe('192.0.2.7');
  });

  test('is the peer if the trusted proxies sent no header', () => {
    for (const header of [undefined, '', ' ', ',', '1.1.1.1, '])
      expect(addressOf(header, 1)).toBe('10.0.0.1');
    expect(addressOf('1.1.1.1', 2)).toBe('10.0.0.1');
  });

  test('is found in several headers as in one', () => {
    expect(addressOf(['1.1.1.1', '192.0.2.7'], 1)).toBe('192.0.2.7');
  });

  test.each([
    ['192.0.2.7:51234', '192.0.2.7'],
    ['[2001:db8::7]:51234', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
  ])('is %s without the port that some proxies add', (forwarded, address) => {
    expect(addressOf(`1.1.1.1, ${forwarded}`, 1)).toBe(address);
  });

  test('may be an IPv6 address', () => {
    expect(addressOf('2001:db8::7', 1)).toBe('2001:db8::7');
  });

  test('is unknown once the connection is gone', () => {
    expect(clientAddress({ headers: {}, socket: {} } as Parameters<typeof clientAddress>[0], 0)).toBe(
      'unknown',
    );
  });
});
