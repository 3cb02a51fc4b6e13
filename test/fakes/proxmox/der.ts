import { isIPv4 } from 'node:net';

/** The subset of ASN.1's distinguished encoding rules (X.690) that certificates need. */
export function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = Buffer.alloc(3);
  size.writeUInt8(0x82, 0);
  size.writeUInt16BE(length, 1);
  return Buffer.concat([Buffer.from([tag]), size, content]);
}

export const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
export const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
export const octets = (content: Buffer) => der(0x04, content);
export const bits = (content: Buffer, unused = 0) => der(0x03, Buffer.from([unused]), content);
export const truth = der(0x01, Buffer.from([0xff]));

/** Attributes in the order given, each a UTF8String in a set of its own. */
export function distinguishedName(attributes: { CN: string; OU: string; O: string }): Buffer {
  const ids = { CN: '550403', OU: '55040b', O: '55040a' };
  const encoded = (['CN', 'OU', 'O'] as const).map((key) =>
    der(0x31, sequence(oid(ids[key]), der(0x0c, Buffer.from(attributes[key])))),
  );
  return sequence(...encoded);
}

/** UTCTime, which certificates use for years before 2050. */
export function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/\D/g, ''); // 20261123120000000
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

/** A subject alternative name: an IPv4 address, `::1`, or else a host name. */
export function generalName(name: string): Buffer {
  if (isIPv4(name)) return der(0x87, Buffer.from(name.split('.').map(Number)));
  if (name === '::1') return der(0x87, Buffer.from([...Array.from({ length: 15 }, () => 0), 1]));
  return der(0x82, Buffer.from(name));
}
