import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface OciRegistry {
  /** `host:port`, over plain HTTP. */
  readonly address: string;
  stop(): Promise<void>;
}

interface Content {
  readonly type: string;
  readonly body: Buffer;
}

const digestOf = (body: Buffer) => `sha256:${createHash('sha256').update(body).digest('hex')}`;

/** Stores blobs and manifests in memory, as the OCI distribution specification defines. Without sign-in and deletion. */
export async function startOciRegistry(): Promise<OciRegistry> {
  /** By the path that returns it, with a tag or a digest. */
  const stored = new Map<string, Content>();
  const uploads = new Map<string, Buffer[]>();

  async function handle(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://registry');
    const body = await buffer(request);
    if (pathname === '/v2/') return { status: 200 };
    if (request.method === 'GET' || request.method === 'HEAD') {
      const content = stored.get(pathname);
      return content ? { status: 200, content } : { status: 404 };
    }
    const manifest = /^(.*\/manifests\/).+$/.exec(pathname)?.[1];
    if (request.method === 'PUT' && manifest !== undefined) {
      const content = { type: request.headers['content-type'] ?? '', body };
      stored.set(pathname, content).set(manifest + digestOf(body), content);
      return { status: 201, location: manifest + digestOf(body) };
    }
    return upload(request.method ?? '', pathname, searchParams.get('digest'), body);
  }

  function upload(method: string, pathname: string, digest: string | null, body: Buffer): Answer {
    const [, repository, id] = /^(.*\/blobs\/)uploads\/(\d*)$/.exec(pathname) ?? [];
    if (repository === undefined) return { status: 404 };
    if (method === 'POST') {
      const location = `${repository}uploads/${uploads.size}`;
      uploads.set(location, []);
      return { status: 202, location };
    }
    const parts = uploads.get(pathname);
    if (id === '' || !parts) return { status: 404 };
    parts.push(body);
    if (method === 'PATCH') return { status: 202, location: pathname };
    const blob = Buffer.concat(parts);
    if (method !== 'PUT' || digest !== digestOf(blob)) return { status: 400 };
    stored.set(repository + digest, { type: 'application/octet-stream', body: blob });
    return { status: 201, location: repository + digest };
  }

  const server = createServer((request, response) => {
    void handle(request).then(({ status, location, content }) => {
      if (location !== undefined) response.setHeader('location', location);
      if (content) {
        response.setHeader('content-type', content.type);
        response.setHeader('content-length', content.body.length);
        response.setHeader('docker-content-digest', digestOf(content.body));
      }
      response.writeHead(status).end(request.method === 'HEAD' ? undefined : content?.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly status: number;
  readonly location?: string;
  readonly content?: Content;
}
