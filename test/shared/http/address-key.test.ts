import fc from 'fast-check';
import { addressKey } from '@porthole/shared/http/address-key';

describe('the key of an address', () => {
  test('is the IPv4 address, also of an IPv4-mapped IPv6 address', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(addressKey(address)).toBe(address);
        expect(addressKey(`::ffff:${address}`)).toBe(address);
        expect(addressKey(`::FFFF:${address}`)).toBe(address);
      }),
    );
  });

  test('is the /64 network of an IPv6 address', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const groups = fc.array(group, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(groups, groups, groups, (network, one, other) => {
        const address = (host: readonly number[]) =>
          [...network, ...host].map((part) => part.toString(16)).join(':');
        expect(addressKey(address(one))).toBe(addressKey(address(other)));
      }),
    );
    expect(addressKey('2001:db8:1:1::7')).not.toBe(addressKey('2001:db8:1:2::7'));
  });

  test('does not depend on how an IPv6 address is written', () => {
    for (const written of ['2001:db8::7', '2001:0db8:0:0:0:0:0:7', '2001:DB8::0007', '2001:db8::7%eth0'])
      expect(addressKey(written)).toBe('2001:db8:0:0');
    for (const written of ['::', '::1', '0::0:1']) expect(addressKey(written)).toBe('0:0:0:0');
  });

  test('is any other text unchanged', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[g-z ]*$/), (odd) => {
        expect(addressKey(odd)).toBe(odd);
      }),
    );
  });
});
