import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A span as a collector receives it. */
export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the root span of a trace. */
  readonly parentId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Other traces that the span links to. */
  readonly links: readonly string[];
  readonly failed: boolean;
  /** Nanoseconds since the epoch. */
  readonly start: bigint;
  readonly end: bigint;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** All received bytes, to search for secrets. */
  received(): Buffer;
  /** Sets the status of further responses. */
  answer(status: number): void;
  stop(): Promise<void>;
}

/** The part of an OpenTelemetry collector that receives traces as OTLP over HTTP with protobuf. */
export async function createOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      const right =
        request.method === 'POST' &&
        request.url === '/v1/traces' &&
        request.headers['content-type'] === 'application/x-protobuf';
      response.writeHead(right ? status : 404, { 'content-type': 'application/x-protobuf' }).end();
      if (!right || status !== 200) return;
      bodies.push(body);
      spans.push(...spansOf(body));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    received: () => Buffer.concat(bodies),
    answer: (next) => void (status = next),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** ExportTraceServiceRequest of opentelemetry-proto, with its field numbers. */
function spansOf(body: Buffer): ReceivedSpan[] {
  return messages(body, 1).flatMap((resourceSpans) => {
    const [resource] = messages(resourceSpans, 1);
    const service = String(resource ? attributesOf(resource, 1)['service.name'] : '');
    return messages(resourceSpans, 2).flatMap((scopeSpans) =>
      messages(scopeSpans, 2).map((span) => {
        const [state] = messages(span, 15);
        return {
          service,
          traceId: bytes(span, 1).toString('hex'),
          spanId: bytes(span, 2).toString('hex'),
          parentId: bytes(span, 4).toString('hex'),
          name: bytes(span, 5).toString(),
          attributes: attributesOf(span, 9),
          links: messages(span, 13).map((link) => bytes(link, 1).toString('hex')),
          failed: state !== undefined && numbers(state, 3)[0] === 2n,
          start: numbers(span, 7)[0] ?? 0n,
          end: numbers(span, 8)[0] ?? 0n,
        };
      }),
    );
  });
}

function attributesOf(message: Buffer, field: number): Record<string, string | number | boolean> {
  const pairs = messages(message, field).map((pair) => {
    const [value = Buffer.alloc(0)] = messages(pair, 2);
    const text = fields(value).find(({ number }) => number === 1);
    const [flag] = numbers(value, 2);
    const [whole] = numbers(value, 3);
    const read = text ? bytes(value, 1).toString() : flag === undefined ? Number(whole) : flag === 1n;
    return [bytes(pair, 1).toString(), read] as const;
  });
  return Object.fromEntries(pairs);
}

interface Field {
  readonly number: number;
  readonly value: Buffer | bigint;
}

/** The wire format of protobuf: a tag, followed by a number or by a length and bytes. */
function fields(message: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    switch (tag & 7) {
      case 0:
        found.push({ number, value: varint() });
        break;
      case 1:
        found.push({ number, value: message.readBigUInt64LE(at) });
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        found.push({ number, value: message.subarray(at, at + length) });
        at += length;
        break;
      }
      case 5:
        found.push({ number, value: BigInt(message.readUInt32LE(at)) });
        at += 4;
        break;
      default:
        throw new Error(`wire type ${tag & 7}`);
    }
  }
  return found;
}

function messages(message: Buffer, field: number): Buffer[] {
  return fields(message).flatMap(({ number, value }) =>
    number === field && Buffer.isBuffer(value) ? [value] : [],
  );
}

function bytes(message: Buffer, field: number): Buffer {
  return messages(message, field)[0] ?? Buffer.alloc(0);
}

function numbers(message: Buffer, field: number): bigint[] {
  return fields(message).flatMap(({ number, value }) =>
    number === field && typeof value === 'bigint' ? [value] : [],
  );
}
